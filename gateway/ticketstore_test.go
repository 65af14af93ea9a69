package gateway

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"kalami/gateway/token"
	"kalami/session/learn"
)

// drawer is where tickets are kept in the database.
type drawer struct {
	*memory
	spent map[string]bool
}

func newDrawer() *drawer { return &drawer{memory: newMemory(), spent: map[string]bool{}} }

func (d *drawer) SpendOnce(_ context.Context, key string, _ time.Duration) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first := !d.spent[key]
	d.spent[key] = true
	return first && d.down == nil, d.down
}

func (d *drawer) ForgetOnce(context.Context) error { return nil }

// While live state is away tickets are bought and used through the database, each once. One
// that live state had is unknown meanwhile, and none is good twice, whatever live state
// remembers when it is back.
func TestTicketsWithoutLiveState(t *testing.T) {
	h := newHouse(t)
	live, spare := newMemory(), newDrawer()
	h.server.opts.Once, h.server.opts.Secrets = live, spare
	access, _ := h.account("ana@example.org")
	body := map[string]string{"profile_id": h.profileOf(access, "es")}
	redeem := func(when, secret string, want learn.Kind) {
		t.Helper()
		_, err := h.server.redeemTicket(t.Context(), secret)
		if (want == 0) != (err == nil) || want != 0 && learn.KindOf(err) != want {
			t.Errorf("%s: %v, want %v", when, err, want)
		}
	}
	_, before := h.ticketFor(access, body)
	_, used := h.ticketFor(access, body)
	redeem("live state's own", used, 0)
	live.fail(errors.New("connection refused"))
	_, during := h.ticketFor(access, body)
	_, later := h.ticketFor(access, body)
	redeem("one that went with live state", before, learn.Unauthorised)
	redeem("one of the database", during, 0)
	redeem("the same again", during, learn.Unauthorised)
	redeem("a forged one", token.NewTicket(), learn.Unauthorised)
	live.fail(nil)
	redeem("one of the database, when live state is back", later, 0)
	redeem("the same again", later, learn.Unauthorised)

	// Live state is restored from a copy in which a ticket was not used yet.
	value := asJSON(t, Ticket{UserID: "u", ExpiresAt: time.Now().Add(ticketTTL)})
	for secret, want := range map[string]learn.Kind{used: learn.Unauthorised, token.NewTicket(): 0} {
		if err := live.PutOnce(t.Context(), ticketKey(secret), []byte(value), time.Minute); err != nil {
			t.Fatal(err)
		}
		redeem("one of the copy", secret, want)
	}
	spare.fail(learn.Errorf(learn.Unavailable, "test", "away"))
	redeem("without the database", token.NewTicket(), learn.Unavailable)
	live.fail(errors.New("connection refused"))
	h.as(access, "POST", "/v1/voice/tickets", body).refusal(http.StatusServiceUnavailable, "unavailable")
}
