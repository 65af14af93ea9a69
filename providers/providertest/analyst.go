package providertest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/simulate"
)

// AnalystUnderTest says how to make the analyst that [Analyst] examines.
type AnalystUnderTest struct {
	// Vendor whose simulator it talks to.
	Vendor simulate.Vendor
	// SpentMessage is the simulator's fault message that turns a 429 into a spent allowance.
	SpentMessage string
	// New makes an analyst for one test, and has it closed when the test ends.
	New func(t *testing.T, at AnalystEndpoint) providers.Analyst
}

// AnalystEndpoint is where an analyst under test must go and how patient it must be.
type AnalystEndpoint struct {
	// BaseURL is the simulator's scheme and host, without a path.
	BaseURL string
	// Key that the simulator demands.
	Key string
	// Timeout of one answer.
	Timeout time.Duration
}

// Analyst checks that an analyst keeps the contract of [providers.Analyst], against its
// vendor's simulator on a loopback socket.
func Analyst(t *testing.T, under AnalystUnderTest) {
	before := goleak.IgnoreCurrent()
	t.Run("answers", func(t *testing.T) { testAnalystAnswers(t, under) })
	t.Run("is cut off", func(t *testing.T) { testAnalystCutOff(t, under) })
	t.Run("is refused", func(t *testing.T) { testAnalystRefused(t, under) })
	t.Run("breaks off", func(t *testing.T) { testAnalystBreaks(t, under) })
	t.Run("is abandoned", func(t *testing.T) { testAnalystAbandoned(t, under) })
	t.Run("waits too long", func(t *testing.T) { testAnalystWaits(t, under) })
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines left over: %v", err)
	}
}

// analystBench is an analyst and the simulator that it talks to.
type analystBench struct {
	analyst  providers.Analyst
	vendor   simulate.Vendor
	sim      *simulate.Server
	requests atomic.Int64
}

func newAnalystBench(t *testing.T, under AnalystUnderTest, latency simulate.Latency, timeout time.Duration) *analystBench {
	t.Helper()
	b := &analystBench{vendor: under.Vendor}
	b.sim = simulate.New(simulate.Options{Key: simulatorKey, Latency: latency, Engine: "none"})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		b.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		b.sim.Close()
		web.Close()
	})
	b.analyst = under.New(t, AnalystEndpoint{BaseURL: web.URL, Key: simulatorKey, Timeout: timeout})
	return b
}

// fails asks and returns the error, which must be a vendor's of this kind.
func (b *analystBench) fails(t *testing.T, want providers.Kind) *providers.Error {
	t.Helper()
	answer, err := b.analyst.Ask(t.Context(), question())
	e, ok := errors.AsType[*providers.Error](err)
	if !ok || e.Kind != want || e.Vendor == "" || e.Op != "analyse" {
		t.Fatalf("answer %s, error %v, want one of kind %v that names vendor and operation", answer.JSON, err, want)
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if strings.Contains(cause.Error(), "five years") {
			t.Errorf("the error quotes the learner: %v", cause)
		}
	}
	return e
}

// question asks about a turn of the simulator's English script.
func question() providers.Question {
	return providers.Question{
		System: "You review a lesson of English (en).",
		Prompt: "<learner>" + learnerLine + "</learner>\n<answer>" + tutorLine + "</answer>",
		Name:   "review",
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"required":["understood","corrections"],"properties":{
			"understood":{"type":"boolean"},
			"corrections":{"type":"array","items":{"type":"object","additionalProperties":false,"required":["original","severity"],"properties":{
				"original":{"type":"string"},"severity":{"type":"string","enum":["minor","major"]}}}}}}`),
	}
}

// questionAnswer is what the simulator says to it.
const questionAnswer = `{"corrections":[{"original":"am living here since five years","severity":"major"}],"understood":true}`

func testAnalystAnswers(t *testing.T, under AnalystUnderTest) {
	b := newAnalystBench(t, under, simulate.Latency{}, patience)
	// Many at once share one analyst.
	const askers = 8
	answers := make(chan providers.Answer, askers)
	for range askers {
		go func() {
			a, err := b.analyst.Ask(t.Context(), question())
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	for range askers {
		a := <-answers
		if string(a.JSON) != questionAnswer {
			t.Errorf("answer %s", a.JSON)
		}
		if a.Model == "" || a.RequestID == "" || a.Usage.InputTokens < 10 || a.Usage.OutputTokens < 3 {
			t.Errorf("answer without model, request id or usage: %+v", a)
		}
	}
	plain := question()
	plain.System = "" // the simulator's first script is English
	if a, err := b.analyst.Ask(t.Context(), plain); err != nil || string(a.JSON) != questionAnswer {
		t.Errorf("without a standing instruction: %s, %v", a.JSON, err)
	}
}

// testAnalystCutOff checks that half an answer is none.
func testAnalystCutOff(t *testing.T, under AnalystUnderTest) {
	b := newAnalystBench(t, under, simulate.Latency{}, patience)
	q := question()
	q.MaxTokens = 3
	if a, err := b.analyst.Ask(t.Context(), q); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("answer %s, error %v, want unavailable", a.JSON, err)
	}
}

func testAnalystRefused(t *testing.T, under AnalystUnderTest) {
	for name, c := range map[string]struct {
		fault simulate.Fault
		want  providers.Kind
		after time.Duration
	}{
		"bad request":     {simulate.Fault{Status: 400, Message: "cannot process: " + learnerLine}, providers.Invalid, 0},
		"wrong key":       {simulate.Fault{Status: 401}, providers.Denied, 0},
		"unknown model":   {simulate.Fault{Status: 404}, providers.Invalid, 0},
		"rate limit":      {simulate.Fault{Status: 429, RetryAfter: 7}, providers.Overloaded, 7 * time.Second},
		"allowance spent": {simulate.Fault{Status: 429, Message: under.SpentMessage}, providers.Quota, 0},
		"server error":    {simulate.Fault{Status: 500}, providers.Unavailable, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newAnalystBench(t, under, simulate.Latency{}, patience)
			c.fault.Vendor, c.fault.Kind = under.Vendor, simulate.FaultStatus
			b.sim.Inject(c.fault)
			if e := b.fails(t, c.want); e.RetryAfter != c.after || e.RequestID == "" {
				t.Errorf("retry after %v, want %v; request id %q", e.RetryAfter, c.after, e.RequestID)
			}
			if n := b.requests.Load(); n != 1 {
				t.Errorf("%d requests, want 1: nothing may be retried", n)
			}
		})
	}
}

func testAnalystBreaks(t *testing.T, under AnalystUnderTest) {
	for _, kind := range []simulate.FaultKind{simulate.FaultCut, simulate.FaultGarbage} {
		b := newAnalystBench(t, under, simulate.Latency{}, patience)
		b.sim.Inject(simulate.Fault{Vendor: under.Vendor, Kind: kind})
		b.fails(t, providers.Unavailable)
		if a, err := b.analyst.Ask(t.Context(), question()); err != nil || string(a.JSON) != questionAnswer {
			t.Errorf("the answer after it: %s, %v", a.JSON, err)
		}
	}
}

func testAnalystAbandoned(t *testing.T, under AnalystUnderTest) {
	gone := errors.New("the learner has left")
	b := newAnalystBench(t, under, simulate.Latency{LLMFirstToken: simulate.Delay{P50: time.Hour}}, patience)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	stop := time.AfterFunc(50*time.Millisecond, func() { cancel(gone) })
	defer stop.Stop()
	if _, err := b.analyst.Ask(ctx, question()); err != gone {
		t.Errorf("error %v, want the context's cause", err)
	}
	asked := b.requests.Load()
	if _, err := b.analyst.Ask(ctx, question()); err != gone || b.requests.Load() != asked {
		t.Errorf("error %v, and %d requests after the end; want the context's cause and none", err, b.requests.Load()-asked)
	}
}

func testAnalystWaits(t *testing.T, under AnalystUnderTest) {
	b := newAnalystBench(t, under, simulate.Latency{LLMFirstToken: simulate.Delay{P50: time.Hour}}, 60*time.Millisecond)
	if e := b.fails(t, providers.Unavailable); !strings.Contains(e.Error(), "no answer within 60ms") {
		t.Errorf("the error does not tell what was missing: %v", e)
	}
}
