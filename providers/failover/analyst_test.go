package failover_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/failover"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// A failover over one analyst is that analyst.
func TestAnalystConforms(t *testing.T) {
	providertest.Analyst(t, providertest.AnalystUnderTest{
		Vendor:       simulate.Anthropic,
		SpentMessage: "enforced_spend_limit_reached",
		New: func(t *testing.T, at providertest.AnalystEndpoint) providers.Analyst {
			a, err := anthropic.NewAnalyst(anthropic.AnalystOptions{Key: at.Key, BaseURL: at.BaseURL, Timeout: at.Timeout})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(a.Close)
			return failover.NewAnalyst(failover.Options{}, a)
		},
	})
}

// knower is an analyst that answers with its own name, or always fails.
type knower struct {
	name  string
	err   error
	asked atomic.Int64
}

func (k *knower) Name() string { return k.name }

func (k *knower) Ask(context.Context, providers.Question) (providers.Answer, error) {
	k.asked.Add(1)
	return providers.Answer{JSON: []byte(`"` + k.name + `"`), Model: "m1"}, k.err
}

// The next analyst answers whatever a vendor failed at, and the first is left alone
// when its account is at fault; an error that is no vendor's ends the search.
func TestTheNextAnalystAnswers(t *testing.T) {
	broken := errors.New("a bug")
	for name, c := range map[string]struct {
		first        error
		answer       string
		asked, again int64 // how often the first was asked, after one question and after two
	}{
		"all is well":  {nil, "first/m1", 1, 2},
		"unavailable":  {vendorError(providers.Unavailable, 0), "second/m1", 1, 2},
		"invalid":      {vendorError(providers.Invalid, 0), "second/m1", 1, 2},
		"wrong key":    {vendorError(providers.Denied, 0), "second/m1", 1, 1},
		"a bug of own": {broken, "", 1, 2},
	} {
		first, second := &knower{name: "first", err: c.first}, &knower{name: "second"}
		a := failover.NewAnalyst(failover.Options{}, first, second)
		got, err := a.Ask(t.Context(), providers.Question{})
		if got.Model != c.answer || (err == nil) != (c.answer != "") || first.asked.Load() != c.asked {
			t.Errorf("%s: %+v, %v after asking %d times", name, got, err, first.asked.Load())
		}
		_, _ = a.Ask(t.Context(), providers.Question{}) // only whom it asks matters
		if first.asked.Load() != c.again {
			t.Errorf("%s: the first was asked %d times in two questions", name, first.asked.Load())
		}
	}
}

// When nobody can answer the last one's error is told; a learner who has left asks nobody else.
func TestNoAnalystAnswers(t *testing.T) {
	first, second := &knower{name: "first", err: vendorError(providers.Unavailable, 0)}, &knower{name: "second", err: vendorError(providers.Quota, 0)}
	a := failover.NewAnalyst(failover.Options{}, first, second)
	if _, err := a.Ask(t.Context(), providers.Question{}); providers.KindOf(err) != providers.Quota {
		t.Errorf("error %v, want the last one's", err)
	}
	gone := errors.New("the learner has left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := a.Ask(ctx, providers.Question{}); err != gone || second.asked.Load() != 1 {
		t.Errorf("error %v, and the second was asked %d times", err, second.asked.Load())
	}
}
