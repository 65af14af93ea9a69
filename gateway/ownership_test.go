package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/token"
	"kalami/session"
	"kalami/session/learn"
)

// rows is what a database knows of who owns what, and an audit log.
type rows struct {
	mu      sync.Mutex
	epochs  map[string]int64
	outcome learn.ResumeOutcome
	down    error
	asked   int
	resumed int // questions of clients that come back
	audited []learn.AuditEvent
}

func (r *rows) OfferResume(context.Context, learn.ResumeOffer) error { return r.down }

func (r *rows) Resume(_ context.Context, q learn.Resumption) (learn.Conversation, learn.ResumeOutcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resumed++
	return learn.Conversation{ID: q.ConversationID, TenantID: learn.PersonalTenant}, r.outcome, r.down
}

func (r *rows) Background(context.Context, learn.Conversation, int) (learn.Background, error) {
	return learn.Background{}, r.down
}

func (r *rows) Epochs(context.Context, []string) (map[string]int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.epochs, r.down
}

func (r *rows) AbandonConversations(context.Context, time.Time, int) (int, error) { return 0, nil }

func (r *rows) RecordAudit(_ context.Context, e learn.AuditEvent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.audited = append(r.audited, e)
	return nil
}

// Whoever has lost a conversation finds out by asking, and nobody else is disturbed; a
// database that does not answer is asked again until it does.
func TestOwnershipIsAskedFor(t *testing.T) {
	db := &rows{epochs: map[string]int64{"mine": 3, "taken": 4}, down: errors.New("away")}
	h := newHouse(t, func(o *Options) { o.Resumptions = db })
	seats := map[string]*seat{}
	for _, id := range []string{"mine", "taken", "ended"} {
		s := mustTake(t, h.server.live, id)
		s.claim(id, 3)
		seats[id] = s
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.server.watchOwnership(ctx); close(done) }()
		time.Sleep(askEvery + watchEvery)
		db.mu.Lock()
		db.down = nil
		db.mu.Unlock()
		time.Sleep(2 * watchEvery)
		cancel()
		<-done
	})
	if db.asked < 2 {
		t.Errorf("asked %d times", db.asked)
	}
	for id, s := range seats {
		end, _ := errors.AsType[*session.End](context.Cause(s.ctx))
		if lost := end != nil && end.Reason == session.EndSuperseded; lost != (id != "mine") {
			t.Errorf("%s: ended as %v", id, end)
		}
		s.leave()
	}
}

// A notice and the mirror end a session only if it is the older one.
func TestTakeoverNotices(t *testing.T) {
	h := newHouse(t)
	s := mustTake(t, h.server.live, "ana")
	s.claim("c", 3)
	for _, notice := range []string{"", "c", "c x", "c 3", "c 2", "another 9"} {
		h.server.heedTakeover(notice)
		if s.ctx.Err() != nil {
			t.Fatalf("%q ended the session", notice)
		}
	}
	h.server.heedTakeover("c 4")
	if end, _ := errors.AsType[*session.End](context.Cause(s.ctx)); end == nil || end.Reason != session.EndSuperseded {
		t.Errorf("ended as %v", end)
	}
	s.leave()
}

// A token that was used or never good is refused for good, and recorded with where it came
// from; a store that is away is no reason to throw the token away.
func TestResumeRefused(t *testing.T) {
	const conversation = "0192d5f0-6c3e-7b5a-9a0e-3f2f6f1f8c11"
	db := &rows{}
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.Resumptions, o.Audit = db, db })
	for _, c := range []struct {
		outcome learn.ResumeOutcome
		down    error
		code    session.Code
		close   websocket.StatusCode
	}{
		{learn.ResumeOver, nil, session.ResumeExpired, 4200},
		{learn.ResumeForeign, nil, session.ResumeInvalid, 4403},
		{learn.ResumeRevoked, nil, session.ResumeInvalid, 4401},
		{0, learn.Errorf(learn.Unavailable, "test", "away"), session.InternalError, 1011},
	} {
		db.outcome, db.down = c.outcome, c.down
		p, _, err := h.dial(withTicket(token.NewResume(conversation)))
		if err != nil {
			t.Fatal(err)
		}
		p.text(`{"type":"session.resume","session_id":"vs_1","last_seq":7}`)
		if got := p.problem(); got.Code != c.code || !got.Fatal {
			t.Errorf("outcome %d: told %+v", c.outcome, got)
		}
		p.closed(c.close, string(c.code))
	}
	h.settle()
	if len(db.audited) != 1 || db.audited[0].ObjectID != conversation || db.audited[0].Action != learn.AuditResumeRefused || db.audited[0].IP == "" {
		t.Errorf("audited %+v", db.audited)
	}
}
