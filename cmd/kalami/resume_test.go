package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/coder/websocket"

	"kalami/gateway/token"
	"kalami/gateway/wire"
	"kalami/session"
	"kalami/store/storetest"
)

// twoNodes are two servers with one database and one Redis between them, with the demo
// tutor. wipe empties the Redis.
func twoNodes(t *testing.T, b backend) (one, two *house, wipe func()) {
	t.Helper()
	environ := b.environ(t)
	redis := miniredis.RunT(t)
	environ = append(environ, "REDIS_URL=redis://"+redis.Addr())
	return openDemo(t, b, environ...), openDemo(t, b, environ...), redis.FlushAll
}

// sharing is a backend that gives each of its nodes the same place.
func sharing(t *testing.T) []backend {
	dir := t.TempDir()
	all := []backend{{"sqlite", func(testing.TB) []string { return []string{"KALAMI_DATA_DIR=" + dir} }}}
	if os.Getenv(storetest.PostgresVariable) != "" {
		url := storetest.Postgres(t).URL
		all = append(all, backend{"postgres", func(testing.TB) []string {
			return []string{"DATABASE_URL=" + url, "SECRET_KEY=" + strings.Repeat("a key of the test suite ", 3)}
		}})
	}
	return all
}

// visit begins a lesson on a node and waits until the tutor has spoken.
func visit(t *testing.T, h *house) (s *stranger, first session.Created, seen uint64) {
	t.Helper()
	buy, url := newcomer(t, h)
	s = withTicket(t, url, buy())
	first = next[session.Created](s)
	for {
		head, ev := s.event()
		if _, done := ev.(session.ItemDone); done {
			return s, first, head.Seq
		}
	}
}

// event reads the next event, whatever it is.
func (s *stranger) event() (session.Head, session.Event) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		kind, data, err := s.ws.Read(ctx)
		if err != nil {
			s.t.Fatalf("no further event: %v", err)
		}
		if kind != websocket.MessageText {
			continue
		}
		head, ev, err := wire.DecodeEvent(data)
		if err != nil {
			s.t.Fatal(err)
		}
		return head, ev
	}
}

// waitMirrored waits until the mirror has a conversation up to an event.
func waitMirrored(t *testing.T, h *house, conversation string, upTo uint64) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		state, ok, err := h.live.Live(t.Context(), conversation)
		if n := len(state.Events); err == nil && ok && len(state.State) > 0 && n > 0 && state.Events[n-1].Seq >= upTo {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not mirrored: %d events, state %d bytes, %v, %v", len(state.Events), len(state.State), ok, err)
		}
	}
}

// back opens a socket with a resume token and says what was seen.
func back(t *testing.T, h *house, secret, sessionID string, lastSeq uint64) *stranger {
	t.Helper()
	s := withTicket(t, "ws"+strings.TrimPrefix(h.url(), "http")+"/v1/voice", secret)
	data, err := json.Marshal(map[string]any{"type": "session.resume", "session_id": sessionID, "last_seq": lastSeq})
	if err != nil {
		t.Fatal(err)
	}
	s.send(websocket.MessageText, data)
	return s
}

// A client comes back to the node that has its session, to another, and after the mirror
// was wiped; it is told the truth each time, and who has the conversation is never in doubt.
func TestResume(t *testing.T) {
	t.Parallel()
	for _, b := range sharing(t) {
		t.Run(b.name, func(t *testing.T) { testResume(t, b) })
	}
}

func testResume(t *testing.T, b backend) {
	one, two, wipe := twoNodes(t, b)
	s, created, seen := visit(t, one)
	id := created.Session.ID
	if created.Resume.WindowMS != 600_000 || created.Resume.WarmMS != 30_000 {
		t.Errorf("resume %+v", created.Resume)
	}

	// Warm: to the same node, while the first socket is still open, which is closed.
	again := back(t, one, created.Resume.Token, id, seen)
	head, ev := again.event()
	resumed, ok := ev.(session.Resumed)
	if !ok || head.Seq != seen || !resumed.Warm || resumed.SessionID != id || resumed.ReplayedFrom != seen+1 {
		t.Fatalf("after event %d: %d %+v", seen, head.Seq, ev)
	}
	s.closed(4409, session.Superseded)
	if n := one.gateway.Sessions(); n != 1 {
		t.Errorf("%d sessions are counted, want the one", n)
	}

	// Cold: the mirror has had time, and the other node goes on from there.
	waitMirrored(t, one, created.Session.ConversationID, seen)
	moved := back(t, two, resumed.Resume.Token, id, seen)
	head, ev = moved.event()
	cold, ok := ev.(session.Resumed)
	if !ok || head.Seq != seen || cold.Warm || cold.SessionID != id {
		t.Fatalf("on the other node: %d %+v", head.Seq, ev)
	}
	again.closed(4409, session.Superseded)
	epochs, err := two.db.Epochs(t.Context(), []string{created.Session.ConversationID})
	if err != nil || epochs[created.Session.ConversationID] != 2 {
		t.Errorf("%v, %v: want epoch 2", epochs, err)
	}

	// The node is gone and the mirror was wiped: what is stored is told, and counted on.
	if err := two.end(); err != nil {
		t.Errorf("the second node ended with %v", err)
	}
	wipe()
	restarted := back(t, one, cold.Resume.Token, id, seen+100)
	head, ev = restarted.event()
	r, ok := ev.(session.Restarted)
	if !ok || head.Seq != seen+101 || len(r.Items) != 1 || r.Session.ConversationID != created.Session.ConversationID {
		t.Fatalf("after the mirror was wiped: %d %+v", head.Seq, ev)
	}

	// A used token is refused for good, and recorded.
	replayed := back(t, one, created.Resume.Token, id, seen)
	next[session.Failure](replayed)
	replayed.closed(4403, session.ResumeInvalid)

	// Numbers from the future are named, and the conversation stays.
	future := back(t, one, r.Resume.Token, id, head.Seq+50)
	if f := next[session.Failure](future); f.Error.Param != "last_seq" {
		t.Errorf("told %+v", f)
	}
	future.closed(4400, session.InvalidEvent)
	last := back(t, one, r.Resume.Token, r.Session.ID, head.Seq)
	next[session.Resumed](last)

	// When it is over, it is over.
	last.send(websocket.MessageText, []byte(`{"type":"session.end"}`))
	next[session.Ended](last)
	over := back(t, one, r.Resume.Token, r.Session.ID, head.Seq)
	next[session.Failure](over)
	over.closed(4200, session.ResumeExpired)
	unknown := back(t, one, token.NewResume("0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11"), id, 1)
	next[session.Failure](unknown)
	unknown.closed(4200, session.ResumeExpired)
	if strings.Contains(one.log.String(), created.Resume.Token) {
		t.Error("the log holds a token")
	}
}
