package providertest

import (
	"errors"
	"iter"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/simulate"
)

// TutorUnderTest says how to make the tutor that [Tutor] examines.
type TutorUnderTest struct {
	// Vendor whose simulator it talks to.
	Vendor simulate.Vendor
	// SpentMessage is the simulator's fault message that turns a 429 into a spent allowance.
	SpentMessage string
	// New makes a tutor for one test, and has it closed when the test ends.
	New func(t *testing.T, at TutorEndpoint) providers.Tutor
}

// TutorEndpoint is where a tutor under test must go and how patient it must be.
type TutorEndpoint struct {
	// BaseURL is the simulator's scheme and host, without a path.
	BaseURL string
	// Key that the simulator demands.
	Key string
	// FirstToken and Stall bound the waits for the first word and for each further one.
	FirstToken, Stall time.Duration
}

// simulatorKey is the only one that the suite's simulators take.
const simulatorKey = "sk-test-0123456789"

// patience is how long the suite waits for what must happen soon. It is far more
// than a correct implementation needs, so that a loaded machine fails nothing.
const patience = 10 * time.Second

// tutorBench is a tutor and the simulator that it talks to.
type tutorBench struct {
	under TutorUnderTest
	tutor providers.Tutor
	sim   *simulate.Server
	web   *httptest.Server
	// requests counts what arrived; aborted gets a value for each that the tutor left.
	requests atomic.Int64
	aborted  chan struct{}
}

// benchOptions vary a bench; the zero value answers at once and waits long.
type benchOptions struct {
	latency           simulate.Latency
	key               string
	firstToken, stall time.Duration
}

// newTutorBench starts a simulator and a tutor for one test.
func newTutorBench(t *testing.T, under TutorUnderTest, o benchOptions) *tutorBench {
	t.Helper()
	if o.key == "" {
		o.key = simulatorKey
	}
	if o.firstToken == 0 {
		o.firstToken = patience
	}
	if o.stall == 0 {
		o.stall = patience
	}
	b := &tutorBench{under: under, aborted: make(chan struct{}, 64)}
	b.sim = simulate.New(simulate.Options{Key: simulatorKey, Latency: o.latency, Engine: "none"})
	b.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		defer func() {
			if r.Context().Err() != nil {
				b.aborted <- struct{}{}
			}
		}()
		b.sim.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		b.sim.Close()
		b.web.Close()
	})
	b.tutor = under.New(t, TutorEndpoint{BaseURL: b.web.URL, Key: o.key, FirstToken: o.firstToken, Stall: o.stall})
	return b
}

// inject puts a fault of the bench's vendor in.
func (b *tutorBench) inject(f simulate.Fault) {
	f.Vendor = b.under.Vendor
	b.sim.Inject(f)
}

// waitAborted fails the test unless the simulator notices that the tutor has left.
func (b *tutorBench) waitAborted(t *testing.T) {
	t.Helper()
	select {
	case <-b.aborted:
	case <-time.After(patience):
		t.Error("the vendor did not see the call aborted")
	}
}

// outcome is what a whole reply amounted to.
type outcome struct {
	text   string
	deltas int
	done   *providers.Delta
	err    error
}

// collect reads a reply to its end and checks the sequence's grammar: words, then
// one Done or one error, then nothing.
func collect(t *testing.T, seq iter.Seq2[providers.Delta, error]) outcome {
	t.Helper()
	var o outcome
	for d, err := range seq {
		switch {
		case o.err != nil || o.done != nil:
			t.Error("the sequence went on after its end")
		case err != nil:
			o.err = err
			continue
		case d.Done:
			o.done = &d
		case d.Text == "":
			t.Error("an empty delta that is not the last")
		}
		o.text += d.Text
		o.deltas++
	}
	if o.err == nil && o.done == nil {
		t.Error("the sequence ended with neither Done nor an error")
	}
	return o
}

// vendorError returns the outcome's *providers.Error after checking that it is one.
func (o outcome) vendorError(t *testing.T, want providers.Kind) *providers.Error {
	t.Helper()
	e, ok := errors.AsType[*providers.Error](o.err)
	if !ok {
		t.Fatalf("error %v (%T), want a *providers.Error", o.err, o.err)
	}
	if e.Kind != want {
		t.Fatalf("kind %v, want %v: %v", e.Kind, want, e)
	}
	if e.Vendor == "" || e.Op != "reply" {
		t.Errorf("vendor %q, op %q; want a vendor and reply", e.Vendor, e.Op)
	}
	return e
}

// learnerLine and tutorLine are an exchange of the simulator's English script;
// the answer is long enough to be interrupted.
const (
	learnerLine = "I am living here since five years and I like it very much."
	tutorLine   = "So you have lived here for five years, how nice! Today we have fresh fish, roast chicken, and a very good vegetable soup. What would you like to eat?"
)

// prompt is a conversation that ends with learnerLine.
func prompt() providers.Prompt {
	return providers.Prompt{
		System:   "You are a patient tutor of English (en). The learner's level is B1.",
		Reminder: "Level B1. Keep to two sentences. The learner did not hear: nothing.",
		Lines: []providers.Line{
			{Role: providers.RoleTutor, Text: "Good evening, and welcome! How can I help you?"},
			{Role: providers.RoleLearner, Text: learnerLine},
		},
	}
}

// Tutor checks that a tutor keeps the contract of [providers.Tutor], against its
// vendor's simulator on a loopback socket.
func Tutor(t *testing.T, under TutorUnderTest) {
	before := goleak.IgnoreCurrent()
	t.Run("says", func(t *testing.T) { testTutorSays(t, under) })
	t.Run("streams", func(t *testing.T) { testTutorStreams(t, under) })
	t.Run("is abandoned", func(t *testing.T) { testTutorAbandoned(t, under) })
	t.Run("is refused", func(t *testing.T) { testTutorRefused(t, under) })
	t.Run("breaks off", func(t *testing.T) { testTutorBreaks(t, under) })
	t.Run("waits too long", func(t *testing.T) { testTutorWaits(t, under) })
	t.Run("keeps quiet", func(t *testing.T) { testTutorKeepsQuiet(t, under) })
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines left over: %v", err)
	}
}
