package gateway

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"kalami/session"
	"kalami/session/learn"
	"kalami/store/storetest"
)

// nodesOver builds nodes that share what is stored, each with its own way to the places.
func nodesOver(t *testing.T, change func(*Options), places ...Places) []*voiceSockets {
	t.Helper()
	h := newHouse(t, change)
	nodes := make([]*voiceSockets, len(places))
	for i, p := range places {
		o := h.options
		o.Places = p
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = s.voice.(*voiceSockets)
	}
	return nodes
}

// comes is somebody who wants to talk.
func comes(user, tenant, conversation string) entry {
	return entry{ticket: Ticket{UserID: user, TenantID: tenant}, conversation: conversation}
}

// A thousand racers on a cap of ten over two nodes: exactly ten get in, whether it is a
// learner's cap or a school's, round after round, since places are given back.
// KALAMI_PLACE_ROUNDS says how many rounds there are.
func TestPlacesUnderRace(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) [2]Places{
		"in one process": func(t *testing.T) [2]Places {
			s := storetest.OpenLive(t, storetest.Embedded(t))
			return [2]Places{s, s}
		},
		"over Redis": func(t *testing.T) [2]Places {
			o := storetest.Embedded(t)
			o.URL = storetest.NewRedisServer(t).URL()
			return [2]Places{storetest.OpenLive(t, o), storetest.OpenLive(t, o)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			shared := open(t)
			users := nodesOver(t, func(o *Options) { o.MaxSessionsPerUser, o.MaxSessions = 10, 1000 }, shared[0], shared[1])
			schools := nodesOver(t, func(o *Options) { o.MaxSessionsPerTenant, o.MaxSessions = 10, 1000 }, shared[0], shared[1])
			for round := range fromEnv(t, "KALAMI_PLACE_ROUNDS", 1) {
				race(t, users, func(i int) entry { return comes("ana", "school", fmt.Sprint("a", round, "-", i)) })
				race(t, schools, func(i int) entry { return comes(fmt.Sprint("user", i%600), "school", fmt.Sprint("b", round, "-", i)) })
			}
		})
	}
}

// race lets a thousand come at once to both nodes, and those who got in leave again.
func race(t *testing.T, nodes []*voiceSockets, who func(i int) entry) {
	t.Helper()
	var in, refused atomic.Int64
	var racers, insiders sync.WaitGroup
	start, over := make(chan struct{}), make(chan struct{})
	for i := range 1000 {
		racers.Add(1)
		insiders.Go(func() {
			<-start
			var s *seat
			var err error
			for s, err = nodes[i%2].admitted(t.Context(), who(i)); learn.KindOf(err) == learn.Unavailable && err != nil; {
				s, err = nodes[i%2].admitted(t.Context(), who(i)) // as the client that was told to come again
			}
			switch {
			case err == nil:
				in.Add(1)
				defer s.leave()
			case learn.KindOf(err) == learn.TooMany:
				refused.Add(1)
			default:
				t.Errorf("refused with %v", err)
			}
			racers.Done()
			<-over
		})
	}
	close(start)
	racers.Wait()
	if in.Load() != 10 || refused.Load() != 990 {
		t.Errorf("%d got in and %d were refused, want 10 and 990", in.Load(), refused.Load())
	}
	close(over)
	insiders.Wait()
	for _, n := range nodes {
		if left := len(n.live.seats); left != 0 {
			t.Errorf("%d seats are taken by nobody", left)
		}
	}
}

// When a node is killed, its places are free within 15 s and not before ten, and those of
// the node that lives are not.
func TestPlacesHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := storetest.OpenLive(t, storetest.Embedded(t))
		nodes := nodesOver(t, func(o *Options) { o.MaxSessionsPerTenant = 10 }, shared, shared)
		ctx, end := context.WithCancel(t.Context())
		var running sync.WaitGroup
		defer running.Wait()
		defer end()
		dies, kill := context.WithCancel(ctx)
		running.Go(func() { nodes[0].server.places.run(dies) })
		running.Go(func() { nodes[1].server.places.run(ctx) })
		comesIn := func(node, i int) error {
			_, err := nodes[node].admitted(ctx, comes(fmt.Sprint("user", i), "school", fmt.Sprint("c", i)))
			return err
		}
		for i := range 10 {
			if err := comesIn(i%2, i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if err := comesIn(1, 10); learn.KindOf(err) != learn.TooMany {
			t.Fatalf("one too many after a minute: %v", err)
		}
		kill() // it gives nothing back
		time.Sleep(6 * time.Second)
		if err := comesIn(1, 10); learn.KindOf(err) != learn.TooMany {
			t.Errorf("one too many just after the kill: %v", err)
		}
		time.Sleep(9 * time.Second)
		for i := range 6 {
			if err := comesIn(1, 20+i); (err == nil) != (i < 5) {
				t.Errorf("number %d of those who come 15 s after the kill: %v", i+1, err)
			}
		}
	})
}

// Who goes on with a conversation on another node is not refused for its own sake; the
// session that has lost it gives back nothing, and neither renews it.
func TestPlaceIsTakenOver(t *testing.T) {
	shared := storetest.OpenLive(t, storetest.Embedded(t))
	nodes := nodesOver(t, func(o *Options) { o.MaxSessionsPerUser = 1 }, shared, shared)
	in := func(node int, conversation string) (*seat, error) {
		e := comes("ana", learn.PersonalTenant, conversation)
		e.ticket.ConversationID = conversation
		return nodes[node].admitted(t.Context(), e)
	}
	first, err := in(0, "c")
	if err != nil {
		t.Fatal(err)
	}
	first.claim("c", 1)
	again, err := in(0, "c") // on the same node
	if err != nil {
		t.Fatalf("the conversation was refused for its own sake: %v", err)
	}
	again.claim("c", 2)
	second, err := in(1, "c")
	if err != nil {
		t.Fatalf("the conversation was refused for its own sake: %v", err)
	}
	nodes[0].server.places.renew(t.Context())
	first.leave()
	again.leave()
	if _, err := in(0, "another"); learn.KindOf(err) != learn.TooMany {
		t.Errorf("another one beside: %v", err)
	}
	second.leave()
	if s, err := in(0, "another"); err != nil {
		t.Errorf("another one afterwards: %v", err)
	} else {
		s.leave()
	}
}

// away are places that do not answer.
type away struct{ Places }

func (away) TakePlace(context.Context, learn.Place, learn.PlaceLimits) (learn.Admission, error) {
	return 0, learn.Errorf(learn.Unavailable, "test", "away")
}
func (away) LookForPlace(context.Context, learn.Place, learn.PlaceLimits) (learn.Admission, error) {
	return 0, learn.Errorf(learn.Unavailable, "test", "away")
}
func (away) LeavePlace(context.Context, learn.Place) error {
	return learn.Errorf(learn.Unavailable, "test", "away")
}
func (away) RenewPlaces(context.Context, []learn.Place) error {
	return learn.Errorf(learn.Unavailable, "test", "away")
}
func (away) Degraded() bool { return true }

// While live state is away each node counts for itself; what began meanwhile counts when it
// is back.
func TestPlacesWithoutLiveState(t *testing.T) {
	nodes := nodesOver(t, func(o *Options) { o.MaxSessionsPerTenant = 3 }, away{}, away{})
	for _, n := range nodes {
		for i := range 5 {
			_, err := n.admitted(t.Context(), comes(fmt.Sprint("user", i), "school", fmt.Sprint("c", i)))
			if i < 3 && err != nil || i >= 3 && learn.KindOf(err) != learn.TooMany {
				t.Errorf("number %d: %v", i+1, err)
			}
		}
		if err := n.server.lookForPlace(t.Context(), Ticket{UserID: "u", TenantID: "school"}); err != nil {
			t.Errorf("a ticket: %v", err)
		}
	}
	shared := storetest.OpenLive(t, storetest.Embedded(t))
	nodes[0].server.places.store = shared
	nodes[0].server.places.renew(t.Context())
	p := learn.Place{ID: "new", UserID: "eve", TenantID: "school"}
	if got, err := shared.LookForPlace(t.Context(), p, learn.PlaceLimits{Tenant: 3}); got != learn.TenantFull || err != nil {
		t.Errorf("when it is back there is room for another: %v, %v", got, err)
	}
}

// What a tenant has set comes first; without a school there is no bound.
func TestPlaceLimits(t *testing.T) {
	k := newHouse(t, func(o *Options) { o.MaxSessionsPerTenant = 500 }).server.places
	for _, c := range []struct {
		tenant    string
		set, want int
	}{{"school", 0, 500}, {"school", 30, 30}, {learn.PersonalTenant, 0, 0}, {learn.PersonalTenant, 9, 9}} {
		set := learn.TenantSettings{Sessions: learn.SessionSettings{Most: c.set}}
		if got := k.limits(c.tenant, set); got != (learn.PlaceLimits{User: 2, Tenant: c.want}) {
			t.Errorf("%s with %d set: %+v", c.tenant, c.set, got)
		}
	}
}

// A learner who talks on another node is refused before the upgrade and told when to come
// again; whoever buys a ticket is told there.
func TestPlacesRefuse(t *testing.T) {
	shared := storetest.OpenLive(t, storetest.Embedded(t))
	h := newSocketHouse(t, newLesson(), func(o *Options) { o.MaxSessionsPerUser, o.Places = 2, shared })
	ticket := h.ticket(nil)
	for _, id := range []string{"elsewhere-1", "elsewhere-2"} {
		p := learn.Place{ID: id, UserID: h.user, TenantID: learn.PersonalTenant}
		if got, err := shared.TakePlace(t.Context(), p, learn.PlaceLimits{}); got != learn.Admitted || err != nil {
			t.Fatal(got, err)
		}
	}
	r := h.as(h.access, http.MethodPost, "/v1/voice/tickets", map[string]any{"profile_id": h.profile})
	r.want(http.StatusTooManyRequests).same(`{"detail":"You already have 2 conversations open","code":"too_many_sessions","request_id":"` +
		r.header.Get(echo.HeaderXRequestID) + `"}`)
	if wait := r.header.Get(echo.HeaderRetryAfter); wait != "10" {
		t.Errorf("Retry-After %q", wait)
	}
	_, resp, err := h.dial(h.withBearer(h.access, "profile_id="+h.profile))
	if err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get(echo.HeaderRetryAfter) != "10" {
		t.Errorf("by bearer: %v, %v", resp, err)
	}
	if got := h.told(withTicket(ticket), session.TooManySessions, 4429); got.RetryAfterMS != 10_000 {
		t.Errorf("told to come again in %d ms", got.RetryAfterMS)
	}
	if err := shared.LeavePlace(t.Context(), learn.Place{ID: "elsewhere-1", UserID: h.user, TenantID: learn.PersonalTenant}); err != nil {
		t.Fatal(err)
	}
	phone, _ := h.open(h.withBearer(h.access, "profile_id="+h.profile))
	phone.text(`{"type":"session.end"}`)
	phone.closed(1000, "normal")
	h.settle()
	h.open(h.withBearer(h.access, "profile_id="+h.profile)) // its place was given back
}
