package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
	"kalami/store/storetest"
)

// backend is where an app under test keeps things.
type backend struct {
	name string
	// environ are the variables that choose it; it may make a database for the test.
	environ func(t *testing.T) []string
}

// backends are SQLite with the Redis in process, always, and Postgres with a real
// Redis where the suite was given them.
func backends() []backend {
	all := []backend{{"sqlite", func(t *testing.T) []string { return []string{"KALAMI_DATA_DIR=" + t.TempDir()} }}}
	if os.Getenv(storetest.PostgresVariable) == "" || os.Getenv(storetest.RedisVariable) == "" {
		return all
	}
	return append(all, backend{"postgres+redis", func(t *testing.T) []string {
		return []string{
			"DATABASE_URL=" + storetest.Postgres(t).URL, "REDIS_URL=" + os.Getenv(storetest.RedisVariable),
			"SECRET_KEY=" + strings.Repeat("a key of the test suite ", 3),
		}
	}})
}

// onEachBackend runs a test on all of them, side by side.
func onEachBackend(t *testing.T, test func(t *testing.T, b backend)) {
	t.Parallel()
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

// house is an app that serves, with simulated vendors whose faults and pace the
// test chooses. To the app they are real: it has keys for them.
type house struct {
	*app
	vendors *simulate.Server
	log     *lockedBuffer
	stop    context.CancelFunc
	ran     chan error
	once    sync.Once
	err     error
}

// openHouse starts one; it is stopped, and its end checked, when the test is over.
func openHouse(t *testing.T, b backend, latency simulate.Latency, environ ...string) *house {
	t.Helper()
	vendors := simulate.New(simulate.Options{Latency: latency, Key: "key"})
	server := httptest.NewServer(vendors)
	t.Cleanup(func() { vendors.Close(); server.Close() })
	h := &house{vendors: vendors, log: &lockedBuffer{}, ran: make(chan error, 1)}
	vars := append(b.environ(t), "PORT=0", "KALAMI_LOG_LEVEL=DEBUG", "KALAMI_SHUTDOWN_GRACE=5s",
		"DEEPGRAM_API_KEY=key", "DEEPGRAM_BASE_URL="+server.URL, "ELEVENLABS_API_KEY=key", "ELEVENLABS_BASE_URL="+server.URL,
		"ANTHROPIC_API_KEY=key", "ANTHROPIC_BASE_URL="+server.URL, "OPENAI_API_KEY=key", "OPENAI_BASE_URL="+server.URL+"/v1")
	h.open(t, append(vars, environ...))
	return h
}

// openDemo starts one with nothing configured but where it keeps things.
func openDemo(t *testing.T, b backend, environ ...string) *house {
	t.Helper()
	h := &house{log: &lockedBuffer{}, ran: make(chan error, 1)}
	h.open(t, append(append(b.environ(t), "PORT=0"), environ...))
	return h
}

func (h *house) open(t *testing.T, environ []string) {
	t.Helper()
	cfg, err := loadConfig(configInputs{environ: environ, envFile: filepath.Join(t.TempDir(), "none")})
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), &cfg.Config, newLogger(h.log, cfg.Log))
	if err != nil {
		t.Fatal(err)
	}
	h.app = a
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	go func() { h.ran <- a.run(ctx) }()
	t.Cleanup(func() {
		if err := h.end(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", h.log)
		}
	})
}

// end stops the server as SIGTERM does and waits for it. It may be called again.
func (h *house) end() error {
	h.once.Do(func() {
		h.stop()
		h.err = errors.Join(<-h.ran, h.Close())
	})
	return h.err
}

// lockedBuffer is a log that a test may read while it grows.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// pupil is a learner in a conversation; it keeps all that it is told.
type pupil struct {
	t    *testing.T
	call *learner.Call
	mic  *learner.Mic

	mu     sync.Mutex
	events []arrival
	change chan struct{} // closed and replaced when something arrives
	ended  chan error
}

// arrival is an event or a frame of audio, and when it came.
type arrival struct {
	at    time.Time
	event session.Event
	frame session.Frame
	late  bool
}

// join signs a guest up for a language and opens a call with a live microphone.
func join(t *testing.T, base, language, level string) *pupil {
	t.Helper()
	account, err := learner.Guest(t.Context(), base, "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(account.Close)
	profile, err := account.Profile(t.Context(), language, level)
	if err != nil {
		t.Fatal(err)
	}
	p := &pupil{t: t, change: make(chan struct{}), ended: make(chan error, 1)}
	p.call, err = account.Call(t.Context(), learner.Wish{ProfileID: profile}, learner.Handler{
		Event: func(_ session.Head, ev session.Event) { p.add(arrival{event: ev}) },
		Audio: func(f session.Frame, late bool) {
			f.Audio = bytes.Clone(f.Audio)
			p.add(arrival{frame: f, late: late})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.mic = p.call.Mic(16000)
	ctx, cancel := context.WithCancel(context.Background())
	sent := make(chan error, 1)
	go func() { sent <- p.mic.Run(ctx) }()
	go func() {
		err := p.call.Run()
		cancel()
		<-sent
		p.ended <- err
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.call.Abort()
		<-p.ended
	})
	return p
}

func (p *pupil) add(a arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.at = time.Now()
	p.events = append(p.events, a)
	close(p.change)
	p.change = make(chan struct{})
}

// all returns a copy of what has arrived.
func (p *pupil) all() []arrival {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]arrival(nil), p.events...)
}

// patience bounds the wait for one thing to happen; generous, for busy machines.
const patience = 90 * time.Second

// await waits until the nth event of a type (from 1) has arrived and returns it.
func await[E session.Event](p *pupil, n int) E {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		p.mu.Lock()
		change := p.change
		p.mu.Unlock()
		if all := told[E](p); len(all) >= n {
			return all[n-1]
		}
		select {
		case <-change:
		case <-timeout.C:
			var e E
			p.t.Fatalf("%s number %d did not come\n%s", e.EventType(), n, p.story())
		}
	}
}

// told returns the events of one type so far.
func told[E session.Event](p *pupil) []E {
	var out []E
	for _, a := range p.all() {
		if e, ok := a.event.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// story prints what arrived, without words of audio.
func (p *pupil) story() string {
	var b strings.Builder
	all := p.all()
	for _, a := range all {
		at := a.at.Sub(all[0].at).Milliseconds()
		if a.event == nil {
			fmt.Fprintf(&b, "%6d audio stream %d %d bytes\n", at, a.frame.Stream, len(a.frame.Audio))
			continue
		}
		fmt.Fprintf(&b, "%6d %s %+v\n", at, a.event.EventType(), a.event)
	}
	return b.String()
}

// recording reads one of the shared recordings of speech.
func recording(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "deploy", "bench", "speech", name+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec, err := learner.ReadWAV(f)
	if err != nil {
		t.Fatal(err)
	}
	return rec.PCM
}

// A learner is greeted, speaks, is heard and answered; everything is stored. The same
// on every backend.
func TestConversation(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.BenchLatency())
		p := join(t, h.url(), "en", "B2")
		created := await[session.Created](p, 1)
		if created.Session.Demo != nil || created.Session.Parts.LLM != "anthropic" {
			t.Errorf("parts %+v, demo %+v with keys for all", created.Session.Parts, created.Session.Demo)
		}
		await[session.ResponseDone](p, 1)
		p.mic.Say(recording(t, "en-01-clean"))
		heard := await[session.TranscriptCompleted](p, 1)
		if want := simulate.Scripts()["en"].Turns[0].Learner; heard.Transcript != want {
			t.Errorf("heard %q, want %q", heard.Transcript, want)
		}
		await[session.ResponseDone](p, 2)
		if caption := await[session.CaptionDone](p, 2); caption.Transcript != simulate.Scripts()["en"].Turns[0].Tutor {
			t.Errorf("answered %q", caption.Transcript)
		}
		await[session.ItemDone](p, 3)
		if err := p.call.Send(session.EndSession{}); err != nil {
			t.Fatal(err)
		}
		if err := <-p.ended; err != nil {
			t.Errorf("the call ended with %v", err)
		}
		checkStored(t, h, created.Session.ConversationID, 3)
	})
}

// checkStored reads a conversation back from the database.
func checkStored(t *testing.T, h *house, conversation string, messages int) []learn.Message {
	t.Helper()
	stored, err := h.db.RecentMessages(t.Context(), learn.PersonalTenant, conversation, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) != messages {
		t.Errorf("%d messages are stored, want %d", len(stored), messages)
	}
	for i, m := range stored {
		if m.Seq != i+1 {
			t.Errorf("message %d has number %d", i, m.Seq)
		}
	}
	return stored
}

// With nothing configured there is a demo tutor, which says that it is one.
func TestDemo(t *testing.T) {
	t.Parallel()
	h := openDemo(t, backends()[0])
	p := join(t, h.url(), "es", "A2")
	created := await[session.Created](p, 1)
	demo := created.Session.Demo
	if demo == nil || len(demo.Missing) != 3 || len(demo.Script) == 0 {
		t.Fatalf("the demo says of itself %+v", demo)
	}
	await[session.ResponseDone](p, 1)
	p.mic.Say(recording(t, "es-01-clean"))
	if heard := await[session.TranscriptCompleted](p, 1); heard.Transcript != demo.Script[0] {
		t.Errorf("heard %q, the script says %q", heard.Transcript, demo.Script[0])
	}
	await[session.ResponseDone](p, 2)
	loud := 0
	for _, a := range p.all() {
		for _, b := range a.frame.Audio {
			if b != 0 {
				loud++
			}
		}
	}
	if loud < 100_000 {
		t.Errorf("only %d bytes of the tutor's audio are not silence", loud)
	}
}

// What a learner says and the keys never reach the log, at any level.
func TestNothingSaidIsLogged(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	p := join(t, h.url(), "en", "C1")
	await[session.ResponseDone](p, 1)
	if err := p.call.Send(session.CreateItem{Text: "my secret is xylophone"}); err != nil {
		t.Fatal(err)
	}
	await[session.ResponseDone](p, 2)
	if err := h.end(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	log := h.log.String()
	for _, marker := range []string{"xylophone", "Good evening", "welcome!", "kt_", "kr_", "Bearer"} {
		if strings.Contains(log, marker) {
			t.Errorf("the log holds %q", marker)
		}
	}
	if !strings.Contains(log, "session ended") {
		t.Error("the log does not tell of the session at all")
	}
}
