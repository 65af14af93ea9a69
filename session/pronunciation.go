package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"kalami/providers"
	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

// assessLimit bounds an assessment of a recording: recogniser and assessor together.
const assessLimit = 10 * time.Second

// errAssessLimit is the cause when it took longer.
var errAssessLimit = fmt.Errorf("session: not assessed within %v: %w", assessLimit, context.DeadlineExceeded)

// Pronunciation assesses how learners speak, never on the spoken path: recordings that they
// send for it, and what was recognised of their turns, after those. Fill all fields but
// Assessors and First. Its methods may be called from any goroutine.
//
// A recording goes to a recogniser, which is asked for what it hears, word by word, and not
// told what should be there. Beside that it goes to an assessor of sounds if there is a text
// to compare with, one of the assessors judges such a reading, the learner's school lets it,
// and the learner has agreed and is no child. No recording is kept.
type Pronunciation struct {
	// Ears hear recordings; First is the vendor to ask first, the usual one when empty.
	Ears  Ears
	First string
	// Assessors judge sounds; the first that judges a reading is asked.
	Assessors []providers.Assessor
	Store     PronunciationStore
	Log       *slog.Logger
}

// Ears hear recordings with one of several vendors. *speech.Service in providers/speech
// implements it.
type Ears interface {
	Transcribe(ctx context.Context, vendor string, r providers.Recording) (providers.Transcript, error)
}

// PronunciationStore keeps assessments. Package store implements it.
type PronunciationStore interface {
	// SaveAssessment keeps an assessment and returns it with its ID and time; a message of a
	// conversation is assessed once, and the ID is empty the second time. NotFound when the
	// conversation or message is not the user's.
	SaveAssessment(ctx context.Context, a learn.Assessment) (learn.Assessment, error)
	// Consented says whether the user agrees to something; false for a child.
	Consented(ctx context.Context, tenantID, userID string, purpose learn.ConsentPurpose) (bool, error)
	// TenantSettings returns what a tenant has set.
	TenantSettings(ctx context.Context, tenantID string) (learn.TenantSettings, error)
}

// AssessRequest is a recording to assess.
type AssessRequest struct {
	TenantID string
	User     learn.User
	// Language is what is spoken, a BCP-47 tag.
	Language string
	// Reference is what was to be read; empty for free speech.
	Reference string
	// ConversationID is one of the user's conversations that it belongs to, or empty.
	ConversationID string
	Recording      providers.Recording
	Duration       time.Duration
}

// Assess assesses a recording within ten seconds and keeps the result. An assessor that
// fails or may not be asked leaves what recognition can tell. Errors: Invalid for a
// recording that the recogniser does not take, Unavailable when none answers in time,
// NotFound when the conversation is not the user's, and the cause of ctx.
func (p *Pronunciation) Assess(ctx context.Context, r AssessRequest) (learn.Assessment, error) {
	call, cancel := context.WithTimeoutCause(providers.WithTenant(ctx, r.TenantID), assessLimit, errAssessLimit)
	defer cancel()
	r.Recording.Language, r.Recording.Verbatim = r.Language, true
	var judgement *pronounce.Judgement
	var judging sync.WaitGroup
	judging.Go(func() { judgement = p.judge(call, r) })
	heard, err := p.Ears.Transcribe(call, p.First, r.Recording)
	if err != nil {
		cancel()
		judging.Wait()
		return learn.Assessment{}, unassessed(ctx, err)
	}
	judging.Wait()
	a := pronounce.Assess(r.Reference, pronounce.Sample{
		Language: r.Language, Words: spokenTimes(wordsOf(heard)), Duration: cmpOr(r.Duration, heard.Duration), Fillers: heard.Fillers, Native: r.User.NativeLanguage,
	})
	a.TenantID, a.UserID, a.ConversationID = r.TenantID, r.User.ID, pointer(r.ConversationID)
	a.Provider, a.ProviderVersion = basicProvider(heard.Vendor), heard.Model
	if judgement != nil && a.Mode == learn.Scripted {
		pronounce.Judge(&a, *judgement, r.User.NativeLanguage)
	}
	return p.Store.SaveAssessment(ctx, a)
}

// unassessed is the error of a recording that nobody has heard.
func unassessed(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, errAssessLimit) {
		return &learn.Error{Kind: learn.Unavailable, Msg: "nobody can listen just now, try again shortly", Op: "session.assess", Err: err}
	}
	return unheardOf(ctx, err)
}

// wordsOf are the words of a transcript; where the vendor gives none, its text stands for
// them, without times.
func wordsOf(t providers.Transcript) []providers.Word {
	if len(t.Words) > 0 || t.Text == "" {
		return t.Words
	}
	return []providers.Word{{Text: t.Text}}
}

// basicProvider names a recogniser that assesses.
func basicProvider(vendor string) string {
	if vendor == "" {
		return "basic"
	}
	return vendor + "-basic"
}

// pointer is nil for an empty text.
func pointer(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// judge asks an assessor, if one may be asked; nil when there is no judgement.
func (p *Pronunciation) judge(ctx context.Context, r AssessRequest) *pronounce.Judgement {
	reading := providers.Reading{Recording: r.Recording, Duration: r.Duration, Text: r.Reference}
	for _, assessor := range p.Assessors {
		if !assessor.Judges(reading) {
			continue
		}
		if !p.mayJudge(ctx, r) {
			return nil
		}
		j, err := assessor.Assess(ctx, reading)
		if err != nil {
			p.Log.Warn("a reading was not judged", "vendor", assessor.Name(), "err", err)
			return nil
		}
		return new(judgementOf(assessor.Name(), j))
	}
	return nil
}

// mayJudge says whether the learner's voice may be sent to an assessor. Whoever cannot be
// asked has not agreed.
func (p *Pronunciation) mayJudge(ctx context.Context, r AssessRequest) bool {
	settings, err := p.Store.TenantSettings(ctx, r.TenantID)
	if err == nil && !settings.Pronunciation.Allowed(r.TenantID) {
		return false
	}
	agreed := false
	if err == nil {
		agreed, err = p.Store.Consented(ctx, r.TenantID, r.User.ID, learn.PronunciationProvider)
	}
	if err != nil {
		p.Log.Warn("a consent could not be looked up", "user", r.User.ID, "err", err)
		return false
	}
	return agreed
}

// judgementOf is a vendor's judgement in the terms of the rules.
func judgementOf(vendor string, j providers.Judgement) pronounce.Judgement {
	out := pronounce.Judgement{Provider: vendor, Version: j.Model, Overall: j.Overall, Accuracy: j.Accuracy,
		Completeness: j.Completeness, Fluency: j.Fluency, Prosody: j.Prosody}
	for _, w := range j.Words {
		judged := pronounce.JudgedWord{Word: w.Text, Accuracy: w.Accuracy, Mispronounced: w.Mispronounced, Added: w.Added}
		for _, ph := range w.Phonemes {
			judged.Phonemes = append(judged.Phonemes, learn.Phoneme{Symbol: ph.Symbol, Alphabet: ph.Alphabet, Accuracy: ph.Accuracy, HeardAs: pointer(ph.HeardAs)})
		}
		out.Words = append(out.Words, judged)
	}
	return out
}

// AfterTurn measures what was recognised of a learner's turn and keeps it, once for a
// message: no vendor is asked. What was typed, or has no words, is passed over.
func (p *Pronunciation) AfterTurn(ctx context.Context, tenantID, userID, native, language string, m learn.Message) error {
	if m.Speaker != learn.SpeakerLearner || m.Source == "text" || len(m.Words) == 0 {
		return nil
	}
	a := pronounce.Assess("", pronounce.Sample{Language: language, Words: m.Words, Native: native})
	a.TenantID, a.UserID, a.ConversationID, a.MessageID = tenantID, userID, pointer(m.ConversationID), pointer(m.ID)
	vendor, model, _ := strings.Cut(m.Provider, "/")
	a.Provider, a.ProviderVersion = basicProvider(vendor), model
	_, err := p.Store.SaveAssessment(ctx, a)
	return err
}

// measure is AfterTurn beside the analysis of a turn. It takes no longer than a write may; a
// failure is logged, and the turn stands all the same. p may be nil.
func (p *Pronunciation) measure(ctx context.Context, r learn.Reviewed, of learn.TurnAnalysis) {
	if p == nil {
		return
	}
	m := r.Learner
	m.ID, m.ConversationID = of.MessageID, of.ConversationID
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err := contained(func() error { return p.AfterTurn(ctx, of.TenantID, of.UserID, r.NativeLanguage, r.Language, m) })
	if err != nil {
		p.Log.Warn("turn not measured", "conversation", of.ConversationID, "message", of.MessageID, "err", err)
	}
}
