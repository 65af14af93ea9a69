package session

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// pronunciationBench has a recogniser, an assessor and a store that do as they are told.
type pronunciationBench struct {
	heard    providers.Transcript
	hearing  time.Duration // how long it takes
	hearErr  error
	asked    providers.Recording
	judging  time.Duration
	judgeErr error
	judged   int // readings that the assessor got
	agreed   bool
	agreeErr error
	settings learn.TenantSettings
	kept     []learn.Assessment
}

func (b *pronunciationBench) Transcribe(ctx context.Context, _ string, r providers.Recording) (providers.Transcript, error) {
	b.asked = r
	select {
	case <-time.After(b.hearing):
		return b.heard, b.hearErr
	case <-ctx.Done():
		return providers.Transcript{}, context.Cause(ctx)
	}
}

func (b *pronunciationBench) Name() string { return "azure" }

func (b *pronunciationBench) Judges(r providers.Reading) bool { return r.Text != "" }

func (b *pronunciationBench) Assess(ctx context.Context, _ providers.Reading) (providers.Judgement, error) {
	b.judged++
	select {
	case <-time.After(b.judging):
		return providers.Judgement{Overall: new(70.0), Accuracy: new(70.0), Words: []providers.JudgedWord{{Text: "leche", Accuracy: new(41.0), Mispronounced: true}}}, b.judgeErr
	case <-ctx.Done():
		return providers.Judgement{}, context.Cause(ctx)
	}
}

func (b *pronunciationBench) SaveAssessment(_ context.Context, a learn.Assessment) (learn.Assessment, error) {
	a.ID = "kept"
	b.kept = append(b.kept, a)
	return a, nil
}

func (b *pronunciationBench) Consented(context.Context, string, string, learn.ConsentPurpose) (bool, error) {
	return b.agreed, b.agreeErr
}

func (b *pronunciationBench) TenantSettings(context.Context, string) (learn.TenantSettings, error) {
	return b.settings, nil
}

func (b *pronunciationBench) pronunciation() *Pronunciation {
	return &Pronunciation{Ears: b, Assessors: []providers.Assessor{b}, Store: b, Log: slog.New(slog.DiscardHandler)}
}

// newPronunciationBench is a learner who reads, is understood, and has agreed.
func newPronunciationBench() *pronunciationBench {
	return &pronunciationBench{agreed: true, heard: providers.Transcript{Text: "café leche", Vendor: "deepgram", Model: "nova-3", Words: []providers.Word{
		{Text: "café", StartMS: 0, EndMS: 300, Confidence: 0.9}, {Text: "leche", StartMS: 300, EndMS: 600, Confidence: 0.8}}}}
}

func assessRequest() AssessRequest {
	return AssessRequest{TenantID: learn.PersonalTenant, User: learn.User{ID: "ana", NativeLanguage: "en"}, Language: "es-MX", Reference: "Café, leche.",
		Recording: providers.Recording{Audio: []byte("x"), Format: providers.WAV}, Duration: time.Second}
}

// Whose voice goes to an assessor: who agrees, where the school lets it, and with a text. In
// all other cases, and when the assessor fails or is slow, recognition alone is told.
func TestWhoIsJudged(t *testing.T) {
	for name, c := range map[string]struct {
		with   func(*pronunciationBench, *AssessRequest)
		judged int
		basis  learn.Basis
		took   time.Duration
	}{
		"who agrees":                    {func(*pronunciationBench, *AssessRequest) {}, 1, learn.AcousticBasis, 0},
		"who does not":                  {func(b *pronunciationBench, _ *AssessRequest) { b.agreed = false }, 0, learn.RecognitionBasis, 0},
		"who cannot be asked":           {func(b *pronunciationBench, _ *AssessRequest) { b.agreeErr = errors.New("away") }, 0, learn.RecognitionBasis, 0},
		"free speech":                   {func(_ *pronunciationBench, r *AssessRequest) { r.Reference = "" }, 0, learn.RecognitionBasis, 0},
		"a school that has not said so": {func(_ *pronunciationBench, r *AssessRequest) { r.TenantID = "school" }, 0, learn.RecognitionBasis, 0},
		"a school that has": {func(b *pronunciationBench, r *AssessRequest) {
			r.TenantID, b.settings.Pronunciation.Vendors = "school", new(true)
		}, 1, learn.AcousticBasis, 0},
		"people whose vendors are off": {func(b *pronunciationBench, _ *AssessRequest) { b.settings.Pronunciation.Vendors = new(false) }, 0, learn.RecognitionBasis, 0},
		"an assessor that fails":       {func(b *pronunciationBench, _ *AssessRequest) { b.judgeErr = &providers.Error{Kind: providers.Quota} }, 1, learn.RecognitionBasis, 0},
		"an assessor that is dead":     {func(b *pronunciationBench, _ *AssessRequest) { b.judging = time.Hour }, 1, learn.RecognitionBasis, assessLimit},
		"both at once":                 {func(b *pronunciationBench, _ *AssessRequest) { b.judging, b.hearing = 3*time.Second, 2*time.Second }, 1, learn.AcousticBasis, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, r := newPronunciationBench(), assessRequest()
				c.with(b, &r)
				began := time.Now()
				a, err := b.pronunciation().Assess(t.Context(), r)
				if err != nil {
					t.Fatal(err)
				}
				if b.judged != c.judged || a.Basis != c.basis || time.Since(began) != c.took {
					t.Errorf("judged %d times, basis %s, after %v", b.judged, a.Basis, time.Since(began))
				}
				if real := a.Basis == learn.AcousticBasis; (a.Overall != nil) != real || (a.Scores.Accuracy != nil) != real || a.Scores.Recognition == nil || a.Caveat == "" {
					t.Errorf("%+v", a)
				}
				if want := map[learn.Basis]string{learn.AcousticBasis: "azure", learn.RecognitionBasis: "deepgram-basic"}[c.basis]; a.Provider != want {
					t.Errorf("provider %q, want %q", a.Provider, want)
				}
				if !b.asked.Verbatim || b.asked.Language != "es-MX" || a.ID != "kept" || len(b.kept) != 1 {
					t.Errorf("asked for %+v, kept %d", b.asked, len(b.kept))
				}
			})
		})
	}
}

// A recogniser that fails or is dead fails the request, within its time; nothing is kept.
func TestNobodyHears(t *testing.T) {
	for name, c := range map[string]struct {
		with func(*pronunciationBench)
		want learn.Kind
	}{
		"the recording is broken": {func(b *pronunciationBench) { b.hearErr = &providers.Error{Kind: providers.Invalid} }, learn.Invalid},
		"the vendor is away": {func(b *pronunciationBench) {
			b.hearErr, b.judging = &providers.Error{Kind: providers.Overloaded}, time.Hour
		}, learn.Unavailable},
		"the vendor is dead": {func(b *pronunciationBench) { b.hearing = time.Hour }, learn.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, began := newPronunciationBench(), time.Now()
				c.with(b)
				_, err := b.pronunciation().Assess(t.Context(), assessRequest())
				if learn.KindOf(err) != c.want || err == nil || len(b.kept) != 0 || time.Since(began) > assessLimit {
					t.Errorf("%v after %v, %d kept; want %v", err, time.Since(began), len(b.kept), c.want)
				}
			})
		})
	}
}

// After a turn its words are measured; what was typed is not, and nobody is asked.
func TestAfterTurn(t *testing.T) {
	b := newPronunciationBench()
	m := learn.Message{ID: "m", ConversationID: "c", Speaker: learn.SpeakerLearner, Source: "voice", Content: "Café, leche.", Provider: "deepgram/nova-3",
		Words: []learn.SpokenWord{{Text: "Café,", StartMS: 0, EndMS: 300, Confidence: 0.9}, {Text: "leche.", StartMS: 900, EndMS: 1200, Confidence: 0.5}}}
	typed, tutor := m, m
	typed.Source, tutor.Speaker = "text", learn.SpeakerTutor
	for _, m := range []learn.Message{typed, tutor, m} {
		if err := b.pronunciation().AfterTurn(t.Context(), "school", "ana", "es", "es", m); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.kept) != 1 || b.judged != 0 || b.asked.Audio != nil {
		t.Fatalf("%d kept, %d judged", len(b.kept), b.judged)
	}
	a := b.kept[0]
	if a.Mode != learn.Spontaneous || *a.MessageID != "m" || *a.ConversationID != "c" || a.TenantID != "school" || a.UserID != "ana" ||
		a.Provider != "deepgram-basic" || a.ProviderVersion != "nova-3" || a.Fluency.Pauses.Count != 1 || *a.Fluency.Pauses.InPhrase != 0 {
		t.Errorf("%+v", a)
	}
}
