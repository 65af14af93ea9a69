package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/gateway/line"
	"kalami/session"
	"kalami/session/learn"
)

// cutServer holds one conversation on a line, over as many sockets as it takes.
type cutServer struct {
	host   *session.Host
	line   *line.Line
	hears  *stampedRecognizer
	stored *cutJournal
	begin  sync.Once
	ended  chan *session.End
	wrong  func(format string, args ...any)
	renew  int
	mu     sync.Mutex
}

func newCutServer(wrong func(format string, args ...any)) *cutServer {
	s := &cutServer{hears: &stampedRecognizer{}, stored: &cutJournal{}, ended: make(chan *session.End, 1), wrong: wrong}
	s.host = &session.Host{Deps: session.Deps{Recognizer: s.hears, Tutor: wordyTutor{}, Voice: plainVoice{}, Journal: s.stored,
		Log: slog.New(slog.DiscardHandler)}}
	s.line = line.New(line.Options{SessionID: "vs_cut", ConversationID: "c1", Epoch: 1, OfferEvery: 3 * time.Second,
		Offer: func(context.Context) (session.Resume, error) { return s.token(), nil }})
	return s
}

func (s *cutServer) token() session.Resume {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renew++
	return session.Resume{Token: fmt.Sprintf("kr_%d", s.renew), WindowMS: 600_000, WarmMS: 30_000}
}

// ServeHTTP implements [http.Handler]: the first client that is told of a session begins
// it, and all others come back to it.
func (s *cutServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var conn *voiceConn
	ws, raw, err := upgrade(w, r, func() bool { return conn.ping() })
	if err != nil {
		return // it was cut
	}
	conn = newVoiceConn(ws, raw, FlowLimits{}, nil)
	began := false
	s.begin.Do(func() {
		began = true
		if err := s.line.Open(conn); err != nil {
			s.wrong("open: %v", err)
		}
		go func() { s.ended <- s.host.Run(context.Background(), s.line, s.params()) }()
	})
	if !began {
		s.resume(conn)
	}
}

func (s *cutServer) params() session.Params {
	return session.Params{
		Config: session.Config{ID: "vs_cut", ConversationID: "c1", Language: "es", NativeLanguage: "en", Level: "B1",
			Audio: session.AudioConfig{Input: session.InputConfig{TurnDetection: &session.TurnDetection{Type: "patient", InterruptResponse: true}}}},
		Conversation: learn.Conversation{ID: "c1", TenantID: learn.PersonalTenant, Epoch: 1, NextSeq: 1},
		Resume:       s.token(),
	}
}

// resume takes a client back that has said session.resume; one that was cut before is none.
func (s *cutServer) resume(conn *voiceConn) {
	var in session.Input
	if err := conn.Read(&in); err != nil {
		conn.Abort()
		return
	}
	r, ok := in.Control.(session.ResumeSession)
	if !ok {
		s.wrong("a return begins with %+v", in)
		conn.Abort()
		return
	}
	defer s.line.Returning()()
	if err := s.line.Attach(conn, line.Return{LastSeq: r.LastSeq, Playback: r.Playback, Resume: s.token()}); err != nil {
		s.wrong("attach: %v", err)
		conn.Abort()
	}
}

// A socket is cut after any number of bytes in either direction, again and again, in the
// middle of sentences, of answers, of the return itself. Nothing of what was said to
// either side is lost, and nothing comes twice. KALAMI_CUTS says how many cuts there are
// besides the usual thousand, and KALAMI_CUT_SEED repeats a run.
func TestResumeAnyByte(t *testing.T) {
	cuts, seed := fromEnv(t, "KALAMI_CUTS", 1000), uint64(fromEnv(t, "KALAMI_CUT_SEED", int(time.Now().UnixNano()>>10&0xffffff)))
	t.Logf("seed %d", seed)
	const each = 50 // cuts of one conversation
	for i := range (cuts + each - 1) / each {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { cutConversation(t, rand.New(rand.NewPCG(seed, uint64(i))), each) })
		})
	}
}

func fromEnv(t *testing.T, name string, usual int) int {
	s := os.Getenv(name)
	if s == "" {
		return usual
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// cutConversation holds one conversation whose connection is cut n times.
func cutConversation(t *testing.T, chance *rand.Rand, n int) {
	s := newCutServer(t.Errorf)
	listener := newPipeListener()
	web := &http.Server{Handler: s}
	var serving sync.WaitGroup
	serving.Go(func() { _ = web.Serve(listener) })
	var mu sync.Mutex
	cuts := 0
	c := &strictClient{wrong: t.Errorf, began: time.Now(), streams: map[uint16]*heardStream{}, items: map[string]string{}}
	c.connect = func(ctx context.Context) (net.Conn, error) {
		mu.Lock()
		budget := -1
		if cuts < n {
			budget = 1 + chance.IntN(1<<(6+chance.IntN(11))) // often in the handshakes, at most 64 KiB
		}
		if !c.known() { // whoever does not know of a session cannot come back to it
			budget += 4 << 10
		}
		server, client := newCutPipe(time.Duration(chance.IntN(60))*time.Millisecond, chance.IntN(2), budget, func() {
			mu.Lock()
			defer mu.Unlock()
			cuts++
		})
		mu.Unlock()
		return client, listener.offer(ctx, server)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	last := uint32(0) // the round after which all is said
	c.run(ctx, func() bool {
		mu.Lock()
		defer mu.Unlock()
		c.mu.Lock()
		defer c.mu.Unlock()
		if round := c.mic / (cutLoud + cutQuiet); cuts == n && last == 0 {
			last = round + 2
		}
		return last > 0 && c.mic > last*(cutLoud+cutQuiet)+cutQuiet-10
	})
	if ctx.Err() != nil {
		t.Errorf("the client did not come to an end")
		s.line.Abort()
	}
	end := <-s.ended
	_ = web.Close()
	serving.Wait()
	if end.Reason != session.EndNormal || c.closed.Code != 1000 || !c.ended {
		t.Errorf("the session ended by %v, and the client saw %v", end, c.closed)
	}
	checkCut(t, s, c)
	t.Logf("%d cuts: %v", cuts, c)
}

// checkCut compares what the client said and was told with what the server has.
func checkCut(t *testing.T, s *cutServer, c *strictClient) {
	t.Helper()
	for i, n := range s.hears.stamps {
		if n != uint32(i) {
			t.Errorf("the recogniser got frame %d as number %d", n, i)
			break
		}
	}
	if missing := int(c.sent) - len(s.hears.stamps); missing > 3 { // on their way through when the learner left
		t.Errorf("the recogniser did not get the last %d frames", missing)
	}
	stored, texts := map[string]string{}, []string(nil)
	for _, m := range s.stored.messages {
		if _, twice := stored[m.UtteranceID]; twice {
			t.Errorf("utterance %s was stored twice", m.UtteranceID)
		}
		stored[m.UtteranceID] = m.Heard
		if m.Speaker == learn.SpeakerLearner {
			texts = append(texts, m.Content)
		}
	}
	for id, text := range c.items {
		if stored[id] != text {
			t.Errorf("%q was acknowledged, and %q is stored", text, stored[id])
		}
	}
	var want []string
	for round := range uint32(len(s.hears.stamps)) / (cutLoud + cutQuiet) {
		want = append(want, sentence(round))
	}
	// Two sentences may be one turn, when the tutor could not answer in between.
	if strings.Join(texts, " ") != strings.Join(want, " ") {
		t.Errorf("stored %q, want %q", texts, want)
	}
}
