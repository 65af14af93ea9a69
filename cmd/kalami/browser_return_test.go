package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"kalami/providers/simulate"
	"kalami/session/learn"
	"kalami/web/webtest"
)

// The page's connection is cut in the middle of the tutor's sentence, and again while the
// learner speaks. Both times the page comes back to its session: the caption goes on, the
// learner is heard whole, nothing stands there or is stored twice, and of the tutor's
// voice every sample is played once.
func TestBrowserComesBack(t *testing.T) {
	t.Parallel()
	h := openDemo(t, backends()[0])
	script := simulate.Scripts()["en"]
	road := newRoad(t, h.url())
	tb := webtest.Open(t, webtest.Browser{Microphone: microphonePlaying(t, "en-session-3turns"), Script: tapScript}, road.url())
	tb.Open()
	tb.Click(`.languages .option:has([value="en"]) .face`)
	tb.Click(`.levels .option:has([value="B2"]) .face`)
	tb.Click(`[data-action="start"]`)

	tb.WaitFor("the first words", bubble("assistant", 1)+`?.querySelectorAll(".word:not([hidden])").length > 2`)
	road.cut()
	tb.WaitFor("the return", `kalami.connections === 2`)
	answered(tb, 1, script.Opener)

	tb.WaitFor("the learner to speak", `tap.wire.some(({ event }) => event?.type === "input_audio_buffer.speech_started")`)
	road.cut()
	tb.WaitFor("the second return", `kalami.connections === 3`)
	heard(tb, 1, script.Turns[0].Learner)
	answered(tb, 2, script.Turns[0].Tutor)
	tb.Screenshot("back")

	if shown := webtest.Eval[int](tb, `document.querySelectorAll(".bubble:not([hidden])").length`); shown != 3 {
		t.Errorf("%d bubbles are shown, want 3", shown)
	}
	if n := readTap(tb).count("session.created"); n != 1 {
		t.Errorf("%d sessions were begun, want 1", n)
	}
	sent := webtest.Eval[float64](tb, `[...new Map(tap.wire.filter(({ event }) => event?.type === "response.output_audio.done")
		.map(({ event }) => [event.response_id, event.audio_ms])).values()].reduce((sum, ms) => sum + ms, 0)`)
	played := webtest.Eval[float64](tb, "kalami.playedSamples") / 24
	if played < sent-1 || played > sent+1 { // whole milliseconds are announced
		t.Errorf("%.1f ms were played of %.1f ms", played, sent)
	}
	again := webtest.Eval[int](tb, "kalami.micFramesResent")
	t.Logf("%.0f ms of the tutor were played, %d frames of the microphone were sent again", played, again)
	if again == 0 {
		t.Error("nothing of the microphone was sent again")
	}
	noted := readTap(tb)
	created := noted.Wire[noted.find("session.created", 0)].Event
	stored := checkStored(t, h, created.Session.ConversationID, 3)
	if !t.Failed() && (stored[1].Speaker != learn.SpeakerLearner || stored[1].Content != script.Turns[0].Learner) {
		t.Errorf("the learner's turn is stored as %q", stored[1].Content)
	}
	tb.CheckClean()
}

// road carries every connection to a server, and can be cut.
type road struct {
	listener net.Listener
	to       string
	work     sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns []net.Conn
}

func newRoad(t *testing.T, to string) *road {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &road{listener: l, to: u.Host}
	r.work.Go(func() { r.accept(t) })
	t.Cleanup(func() {
		_ = l.Close() // ends accept
		r.cut()
		r.work.Wait()
	})
	return r
}

func (r *road) url() string { return "http://" + r.listener.Addr().String() }

func (r *road) accept(t *testing.T) {
	for {
		from, err := r.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("tcp", r.to)
		if err != nil {
			t.Errorf("the server cannot be reached: %v", err)
			_ = from.Close()
			return
		}
		r.mu.Lock()
		r.conns = append(r.conns, from, to)
		r.mu.Unlock()
		carry := func(to, from net.Conn) {
			_, _ = io.Copy(to, from) // its end is the connection's
			_ = to.Close()
		}
		r.work.Go(func() { carry(to, from) })
		r.work.Go(func() { carry(from, to) })
	}
}

// cut breaks all connections off, without a goodbye.
func (r *road) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close() // it may have ended already
	}
	r.conns = nil
}
