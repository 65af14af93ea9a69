package providertest

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/simulate"
)

// AssessorUnderTest says how to make the assessor that [Assessor] examines.
type AssessorUnderTest struct {
	// Vendor whose simulator it talks to.
	Vendor simulate.Vendor
	// New makes an assessor for one test, and has it closed when the test ends.
	New func(t *testing.T, at VoiceEndpoint) providers.Assessor
	// Recording is a WAV file of somebody who speaks.
	Recording []byte
	// Spent is the simulator's refusal that means a used-up quota.
	Spent simulate.Fault
}

// badlySaid is the word that the simulator hears as mispronounced.
const badlySaid = "table"

// Assessor checks that a client keeps the contract of [providers.Assessor], against its
// vendor's simulator on a loopback socket.
func Assessor(t *testing.T, under AssessorUnderTest) {
	before := goleak.IgnoreCurrent()
	t.Run("judges", func(t *testing.T) { testAssessorJudges(t, under) })
	t.Run("judges many at once", func(t *testing.T) { testAssessorCrowd(t, under) })
	t.Run("is given what it does not judge", func(t *testing.T) { testAssessorInvalid(t, under) })
	t.Run("is refused", func(t *testing.T) { testAssessorRefused(t, under) })
	t.Run("breaks off", func(t *testing.T) { testAssessorBreaks(t, under) })
	t.Run("stalls", func(t *testing.T) { testAssessorStalls(t, under) })
	if err := goleak.Find(before); err != nil {
		t.Errorf("goroutines left over: %v", err)
	}
}

// assessorBench is an assessor and the simulator that it talks to.
type assessorBench struct {
	providers.Assessor
	under AssessorUnderTest
	sim   *simulate.Server
}

func newAssessorBench(t *testing.T, under AssessorUnderTest, key string) *assessorBench {
	t.Helper()
	b := &assessorBench{under: under, sim: simulate.New(simulate.Options{Key: simulatorKey, Engine: "none", Accents: map[string]float64{badlySaid: 41.5}})}
	web := httptest.NewServer(b.sim)
	t.Cleanup(func() {
		b.sim.Close()
		web.Close()
	})
	b.Assessor = under.New(t, VoiceEndpoint{BaseURL: web.URL, Key: key})
	return b
}

func (b *assessorBench) inject(f simulate.Fault) {
	f.Vendor = b.under.Vendor
	b.sim.Inject(f)
}

// reading is a text that the simulator takes for read.
func (b *assessorBench) reading() providers.Reading {
	return providers.Reading{Text: "Book a table, please.", Duration: 3 * time.Second,
		Recording: providers.Recording{Audio: b.under.Recording, Format: providers.WAV, Language: "en-GB"}}
}

func testAssessorJudges(t *testing.T, under AssessorUnderTest) {
	b := newAssessorBench(t, under, simulatorKey)
	if b.Name() != string(under.Vendor) {
		t.Errorf("its name is %q", b.Name())
	}
	j, err := b.Assess(t.Context(), b.reading())
	if err != nil {
		t.Fatal(err)
	}
	const mean = (95*3 + 41.5) / 4
	if j.Overall == nil || *j.Overall != mean || j.Accuracy == nil || *j.Accuracy != mean || j.Fluency == nil {
		t.Errorf("scores %+v", j)
	}
	var words []string
	for _, w := range j.Words {
		word := strings.ToLower(w.Text)
		words = append(words, word)
		bad := word == badlySaid
		if w.Mispronounced != bad || w.Omitted || w.Added || w.Accuracy == nil || (*w.Accuracy < 60) != bad {
			t.Errorf("%+v", w)
		}
		if len(w.Phonemes) != len(word) {
			t.Errorf("%d sounds of %q", len(w.Phonemes), word)
		}
		for _, p := range w.Phonemes {
			if p.Symbol == "" || p.Alphabet == "" || p.Accuracy == nil || p.HeardAs != p.Symbol {
				t.Errorf("%q has %+v", word, p)
			}
		}
	}
	if got := strings.Join(words, " "); got != "book a table please" {
		t.Errorf("words %q", got)
	}
}

func testAssessorCrowd(t *testing.T, under AssessorUnderTest) {
	b := newAssessorBench(t, under, simulatorKey)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if j, err := b.Assess(t.Context(), b.reading()); err != nil || len(j.Words) != 4 {
				t.Errorf("%d words, %v", len(j.Words), err)
			}
		})
	}
	wg.Wait()
	if n := b.sim.Assessments(under.Vendor); n != 8 {
		t.Errorf("%d requests for 8 assessments", n)
	}
}

// What it does not judge costs no request; in what it does, there may be nothing to hear.
func testAssessorInvalid(t *testing.T, under AssessorUnderTest) {
	b := newAssessorBench(t, under, simulatorKey)
	for what, spoil := range map[string]func(*providers.Reading){
		"no text":          func(r *providers.Reading) { r.Text = " " },
		"another language": func(r *providers.Reading) { r.Language = "tlh" },
		"no language":      func(r *providers.Reading) { r.Language = "" },
		"an hour":          func(r *providers.Reading) { r.Duration = time.Hour },
	} {
		r := b.reading()
		spoil(&r)
		if b.Judges(r) {
			t.Errorf("%s: it judges that", what)
		}
		if _, err := b.Assess(t.Context(), r); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%s: %v, want invalid", what, err)
		}
	}
	if n := b.sim.Assessments(under.Vendor); n != 0 {
		t.Errorf("%d requests for what is not judged", n)
	}
	r := b.reading()
	r.Audio = append([]byte(nil), r.Audio...)
	clear(r.Audio[64:])
	if _, err := b.Assess(t.Context(), r); providers.KindOf(err) != providers.Invalid {
		t.Errorf("silence: %v, want invalid", err)
	}
}

func testAssessorRefused(t *testing.T, under AssessorUnderTest) {
	stranger := newAssessorBench(t, under, "wrong-key-0815")
	if _, err := stranger.Assess(t.Context(), stranger.reading()); providers.KindOf(err) != providers.Denied {
		t.Errorf("a wrong key: %v, want denied", err)
	} else if strings.Contains(err.Error(), "wrong-key-0815") {
		t.Errorf("the error has the key: %v", err)
	}
	b := newAssessorBench(t, under, simulatorKey)
	for _, c := range []struct {
		fault simulate.Fault
		want  providers.Kind
	}{
		{simulate.Fault{Kind: simulate.FaultStatus, Status: 429, RetryAfter: 7}, providers.Overloaded},
		{simulate.Fault{Kind: simulate.FaultStatus, Status: 400}, providers.Invalid},
		{simulate.Fault{Kind: simulate.FaultStatus, Status: 403}, providers.Denied},
		{simulate.Fault{Kind: simulate.FaultStatus, Status: 500}, providers.Unavailable},
		{under.Spent, providers.Quota},
	} {
		b.inject(c.fault)
		_, err := b.Assess(t.Context(), b.reading())
		e, ok := errors.AsType[*providers.Error](err)
		if !ok || e.Kind != c.want || e.Vendor != string(under.Vendor) {
			t.Errorf("%+v: %v, want %v", c.fault, err, c.want)
			continue
		}
		if want := time.Duration(c.fault.RetryAfter) * time.Second; e.RetryAfter != want {
			t.Errorf("%+v: wait %v, want %v", c.fault, e.RetryAfter, want)
		}
		if strings.Contains(err.Error(), "Book") || strings.Contains(err.Error(), simulatorKey) {
			t.Errorf("the error has the text or the key: %v", err)
		}
	}
}

func testAssessorBreaks(t *testing.T, under AssessorUnderTest) {
	b := newAssessorBench(t, under, simulatorKey)
	for _, kind := range []simulate.FaultKind{simulate.FaultCut, simulate.FaultGarbage} {
		b.inject(simulate.Fault{Kind: kind})
		if _, err := b.Assess(t.Context(), b.reading()); providers.KindOf(err) != providers.Unavailable {
			t.Errorf("%s: %v, want unavailable", kind, err)
		}
	}
}

// A vendor that says nothing is given up after the timeout, or when the caller leaves.
func testAssessorStalls(t *testing.T, under AssessorUnderTest) {
	b := newAssessorBench(t, under, simulatorKey)
	b.inject(simulate.Fault{Kind: simulate.FaultStall, Times: 2})
	if _, err := b.Assess(t.Context(), b.reading()); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("%v, want unavailable", err)
	}
	left := errors.New("the caller left")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(left) })
	if _, err := b.Assess(ctx, b.reading()); !errors.Is(err, left) {
		t.Errorf("%v, want the caller's cause", err)
	}
}
