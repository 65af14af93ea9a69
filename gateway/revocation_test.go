package gateway

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session"
	"kalami/session/learn"
)

// versions is what a database knows of sign-ins.
type versions struct{ of map[string]int }

func (v versions) TokenVersions(context.Context, []string) (map[string]int, error) { return v.of, nil }

// No notice has come: who was signed out or erased on another node is found out by asking,
// within five seconds, and who signed in again since then talks on.
func TestSignInsAreAskedFor(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Resumptions, o.SignIns = &rows{}, versions{of: map[string]int{"ana": 1, "bo": 2}}
	})
	seats := map[string]*seat{}
	for _, user := range []string{"ana", "bo", "erased"} {
		s := mustTake(t, h.server.live, user)
		s.carry(nil, h.server.newResumeTokens(learn.Conversation{}, 1))
		seats[user] = s
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { h.server.watchOwnership(ctx); close(done) }()
		time.Sleep(5 * time.Second)
		cancel()
		<-done
	})
	for user, s := range seats {
		end, _ := errors.AsType[*session.End](context.Cause(s.ctx))
		if out := end != nil && end.Reason == session.EndUnauthorised; out != (user != "ana") {
			t.Errorf("%s: ended as %v", user, end)
		}
		s.leave()
	}
}

// outage is over at once.
type outage struct{}

func (outage) Watch(ctx context.Context, take func(bool)) {
	take(true)
	time.Sleep(time.Second)
	take(false)
	<-ctx.Done()
}

// renewals notes when a node says what it has.
type renewals struct {
	Mirror
	at chan time.Time
}

func (r renewals) RenewLive(context.Context, string, []learn.LiveLease) (learn.LiveAnswer, error) {
	r.at <- time.Now()
	return learn.LiveAnswer{}, nil
}

// A mirror that is back is told at once what this node has, not at the next renewal.
func TestMirrorIsFilledAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := renewals{at: make(chan time.Time, 10)}
		h := newHouse(t, func(o *Options) { o.Resumptions, o.Mirror, o.Outages = &rows{}, told, outage{} })
		ctx, cancel := context.WithCancel(t.Context())
		done, began := make(chan struct{}), time.Now()
		go func() { h.server.KeepSessions(ctx); close(done) }()
		if at := (<-told.at).Sub(began); at != time.Second {
			t.Errorf("told after %v, want a second", at)
		}
		cancel()
		<-done
	})
}
