package session

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"kalami/providers"
	"kalami/session/learn"
)

const (
	// clipWait bounds how long an answer is held up for its sound; analysisWait, for what
	// there is to say about the learner's language.
	clipWait = 30 * time.Second
	// commitTries is how often a message is tried to be stored while the learner waits.
	commitTries = 3
)

// Turnwise answers turns that are sent whole, one request each: what the original's
// clients do, with the same tutor as the live path, the same prompt and the same
// history, so that a learner may change between the two in one conversation. Fill all
// fields but Plans and Pronunciation. Its methods may be called from any goroutine.
//
// A turn goes this way; what is behind a step that failed is kept:
//
//	transcript ─► take-over ─► learner's message stored ─► reply ─► tutor's message stored ─┬► analysis ─► stored
//	(no words: no turn)        (a live session is fenced)                                   └► clip
//
// The analysis comes after the reply, because it also says which words the tutor
// introduced, and beside the clip, which takes about as long; a turn without a clip
// waits for it alone.
type Turnwise struct {
	Tutor       providers.Tutor
	Analyst     providers.Analyst
	Transcriber providers.Transcriber
	Synthesizer providers.Synthesizer
	Store       TurnStore
	Log         *slog.Logger
	// Plans say what the tutor remembers of the learner; nil for nothing.
	Plans Plans
	// Pronunciation measures how recorded turns were spoken, beside their analysis; may be nil.
	Pronunciation *Pronunciation

	queues turnQueues
}

// Take makes one turn: it hears the recording or takes the text, has the tutor answer,
// and returns when both messages are durable. Turns of one conversation come one after
// another on this node, in the order in which they were asked for; between nodes, and
// between a turn and a live session, the conversation's epoch decides. Errors:
//
//   - NotFound: the user has no such conversation under the profile.
//   - Conflict: it has ended, with [ErrEnded] in the chain, or went on elsewhere
//     meanwhile, with [learn.ErrFenced] alone.
//   - Invalid: no vendor can read the recording.
//   - TooMany: other turns of the conversation are waiting already.
//   - Unavailable: no vendor answered, or the store did not. The learner's message may
//     be stored.
//   - the cause of ctx when it ended before the reply was complete.
func (t *Turnwise) Take(ctx context.Context, r TurnRequest) (TurnResult, error) {
	began := time.Now()
	c, err := t.find(ctx, r)
	if err != nil {
		return TurnResult{}, err
	}
	leave, err := t.queues.enter(ctx, c.TenantID+"/"+c.ID)
	if err != nil {
		return TurnResult{}, err
	}
	defer leave()
	w := &wholeTurn{Turnwise: t, request: r, conversation: c, began: time.Now()}
	heard, err := w.hear(ctx)
	if err != nil {
		return TurnResult{}, err
	}
	if !heard {
		return TurnResult{Conversation: c, Unheard: true}, nil
	}
	if err := w.answer(ctx); err != nil {
		return TurnResult{}, w.lost(ctx, err)
	}
	result := w.review(ctx)
	t.Log.Info("turn answered", "conversation", c.ID, "user", r.User.ID, "recorded", r.Recording != nil,
		"took_ms", time.Since(began).Milliseconds(), "analysed", result.Analysed, "voice_err", result.VoiceErr)
	return result, nil
}

// find loads the conversation and refuses what cannot be answered, before anything is
// paid for.
func (t *Turnwise) find(ctx context.Context, r TurnRequest) (learn.Conversation, error) {
	const op = "session.Take"
	c, err := t.Store.Conversation(ctx, r.Profile.TenantID, r.User.ID, r.ConversationID)
	switch {
	case err != nil:
		return c, err
	case c.ProfileID != r.Profile.ID:
		return c, learn.Errorf(learn.NotFound, op, "Session not found")
	case c.EndedAt != nil:
		return c, errEnded(nil)
	}
	return c, nil
}

// ErrEnded is in the chain of the error of a turn whose conversation has ended.
var ErrEnded = errors.New("session: the conversation has ended")

func errEnded(cause error) error {
	return &learn.Error{Kind: learn.Conflict, Msg: "Session has ended", Op: "session.Take", Err: errors.Join(ErrEnded, cause)}
}

// wholeTurn is one turn being made, by one goroutine.
type wholeTurn struct {
	*Turnwise
	request      TurnRequest
	conversation learn.Conversation
	began        time.Time // when it was its turn
	question     string    // what the tutor said last before this turn
	learner      learn.Message
	tutor        learn.Message
}

// level is that of the conversation, which may have been started at another than the
// profile's.
func (w *wholeTurn) level() learn.Level { return cmpOr(w.conversation.Level, w.request.Profile.Level) }

// progress tells whoever wants to know.
func (w *wholeTurn) progress(step TurnStep, text string) {
	if w.request.Progress != nil {
		w.request.Progress(TurnProgress{step, text})
	}
}

// hear finds out what the learner says; false when there are no words in the recording.
// It comes before the take-over, so that a cough into the phone ends no live session.
func (w *wholeTurn) hear(ctx context.Context) (bool, error) {
	r := w.request
	w.learner = learn.Message{Speaker: learn.SpeakerLearner, Source: "text", Content: strings.TrimSpace(r.Text)}
	if r.Recording != nil {
		w.progress(TurnTranscribing, "")
		tr, err := w.Transcriber.Transcribe(ctx, *r.Recording)
		if err != nil {
			return false, unheardOf(ctx, err)
		}
		w.learner.Source, w.learner.Content = "voice", strings.TrimSpace(tr.Text)
		w.learner.Words = spokenTimes(tr.Words)
		w.learner.Audio = voicedTime(tr, time.Duration(r.RecordingMS)*time.Millisecond)
		w.learner.Provider = vendorModel(w.Transcriber.Name(), tr.Model)
	}
	if r.Recording == nil {
		return w.learner.Content != "", nil
	}
	// Engines write "." or "…" for a recording of nothing.
	return strings.ContainsFunc(w.learner.Content, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }), nil
}

// vendorModel is "vendor/model", as messages name it.
func vendorModel(vendor, model string) string {
	if model == "" || strings.Contains(model, "/") {
		return cmpOr(model, vendor)
	}
	return vendor + "/" + model
}

// answer takes the conversation over, stores what the learner said, has the tutor reply
// and stores that.
func (w *wholeTurn) answer(ctx context.Context) error {
	heard := time.Now()
	p := w.request.Profile
	c, err := w.Store.TakeOver(ctx, p.TenantID, w.request.User.ID, w.conversation.ID)
	if err != nil {
		return err
	}
	w.conversation = c
	history, err := w.Store.RecentMessages(ctx, c.TenantID, c.ID, historyMost)
	if err != nil {
		return err
	}
	if n := len(history); n > 0 && history[n-1].Speaker == learn.SpeakerTutor {
		w.question = history[n-1].Heard
	}
	w.learner, err = w.commit(ctx, w.learner, c.NextSeq)
	if err != nil {
		return err
	}
	w.progress(TurnHeard, w.learner.Content)
	w.progress(TurnThinking, "")
	reply, err := w.reply(ctx, remember(history, w.learner))
	if err != nil {
		return unanswered(ctx, err)
	}
	if w.request.Recording != nil {
		reply.Timings.STTFinalMS = int(heard.Sub(w.began).Milliseconds())
	}
	// It was said and paid for: the learner finds it even if the client has gone.
	if w.tutor, err = w.commit(context.WithoutCancel(ctx), reply, c.NextSeq+1); err != nil {
		return err
	}
	w.progress(TurnAnswered, w.tutor.Content)
	return nil
}

// reply has the tutor answer, in text that a voice can read.
func (w *wholeTurn) reply(ctx context.Context, history []learn.Message) (learn.Message, error) {
	p, asked := w.request.Profile, time.Now()
	prompt := tutorPrompt(learn.Tutoring{
		Language: p.TargetLanguage, NativeLanguage: w.request.User.NativeLanguage, Level: w.level(),
		Mode: p.CorrectionMode, Topic: w.conversation.Topic, Learner: w.request.User.Name, Scene: w.conversation.Scene,
		Remembered: w.plan(ctx).Remembered,
	}, history, "")
	m := learn.Message{Speaker: learn.SpeakerTutor, Source: "text"}
	if w.request.Speak {
		m.Source = "voice"
	}
	var text strings.Builder
	delta, err := readReply(ctx, w.Tutor, prompt, func(piece string) error {
		if text.Len() == 0 {
			m.Timings.LLMFirstMS = int(time.Since(asked).Milliseconds())
		}
		text.WriteString(piece)
		return nil
	})
	if m.Content = strings.TrimSpace(text.String()); err == nil && m.Content == "" {
		err = nothingSaid(w.Tutor)
	}
	m.Provider, m.Tokens = delta.Model, delta.Usage.OutputTokens
	return m, err
}

// plan is what the conversation is to go by; nothing when that is not known.
func (w *wholeTurn) plan(ctx context.Context) learn.Plan {
	if w.Plans == nil {
		return learn.Plan{}
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	c := w.conversation
	p, err := w.Plans.Plan(ctx, c.TenantID, w.request.User.ID, c.ID)
	if err != nil {
		w.Log.Warn("plan not read", "conversation", c.ID, "err", err)
		return learn.Plan{}
	}
	return p.Within()
}

// commit makes a message durable as number seq, and returns it as it is stored.
func (w *wholeTurn) commit(ctx context.Context, m learn.Message, seq int) (learn.Message, error) {
	c := w.conversation
	m.ID, m.UtteranceID, m.TenantID, m.ConversationID = newID(""), newID("it_"), c.TenantID, c.ID
	m.Seq, m.Turn, m.Heard = seq, c.Totals.Turns+1, m.Content
	m.Language, m.CreatedAt = w.request.Profile.TargetLanguage, time.Now().UTC()
	wait := 100 * time.Millisecond
	for try := 1; ; try++ {
		err := w.append(ctx, m)
		if err == nil || permanent(err) || try == commitTries || ctx.Err() != nil {
			return m, err
		}
		select { // an utterance is stored once, however often it is appended
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait *= 2
	}
}

func (w *wholeTurn) append(ctx context.Context, m learn.Message) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	return w.Store.AppendMessage(ctx, w.conversation.Epoch, m)
}

// review has the turn analysed, measured and spoken, all at once, and returns what became
// of it. None of that can undo the turn.
func (w *wholeTurn) review(ctx context.Context) TurnResult {
	result := TurnResult{Learner: w.learner, Tutor: w.tutor}
	var analysis sync.WaitGroup
	analysis.Go(func() {
		var a learn.TurnAnalysis
		err := contained(func() (err error) { a, err = w.analyse(ctx); return err })
		if err != nil {
			w.Log.Warn("turn not analysed", "conversation", w.conversation.ID, "message", w.learner.ID, "err", err)
			return
		}
		result.Analysed, result.NewWords = true, a.NewWords
		result.Corrections = shownTo(w.request.Profile, a.Corrections)
	})
	analysis.Go(func() { w.Pronunciation.measure(ctx, w.reviewed(), w.whose()) })
	if w.request.Speak {
		w.progress(TurnSpeaking, "")
		result.Clip, result.VoiceErr = w.clip(ctx)
	}
	analysis.Wait()
	result.Conversation = w.totals(ctx)
	return result
}

// totals is the conversation as it now is.
func (w *wholeTurn) totals(ctx context.Context) learn.Conversation {
	c := w.conversation
	now, err := w.Store.Conversation(ctx, c.TenantID, w.request.User.ID, c.ID)
	if err != nil { // the turn stands; what is known of it must do
		w.Log.Warn("totals not read", "conversation", c.ID, "err", err)
		c.NextSeq, c.Totals.Turns = w.tutor.Seq+1, c.Totals.Turns+1
		c.Totals.Learner += w.learner.Audio
		return c
	}
	return now
}

// lost explains a failure by what has become of the conversation: a write is refused
// alike when it went on elsewhere and when it was ended.
func (w *wholeTurn) lost(ctx context.Context, err error) error {
	if learn.KindOf(err) != learn.Conflict {
		return err
	}
	c, lookup := w.Store.Conversation(context.WithoutCancel(ctx), w.conversation.TenantID, w.request.User.ID, w.conversation.ID)
	switch {
	case lookup == nil && c.EndedAt != nil:
		return errEnded(err)
	case errors.Is(err, learn.ErrFenced):
		return &learn.Error{Kind: learn.Conflict, Msg: "This conversation goes on elsewhere", Op: "session.Take", Err: err}
	}
	return err
}
