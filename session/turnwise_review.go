package session

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"kalami/providers"
	"kalami/session/learn"
)

// maxClip bounds a clip of the tutor's answer, in bytes: some minutes, while an answer
// takes half of one.
const maxClip = 8 << 20

// analyse asks what the learner's message shows and keeps what holds of it.
func (w *wholeTurn) analyse(ctx context.Context) (learn.TurnAnalysis, error) {
	ctx, cancel := context.WithTimeout(ctx, analysisWait)
	defer cancel()
	p := w.request.Profile
	r := learn.Reviewed{
		Language: p.TargetLanguage, NativeLanguage: w.request.User.NativeLanguage, Level: w.level(),
		Learner: w.learner, Question: w.question, Answer: w.tutor.Content,
	}
	answer, err := w.Analyst.Ask(ctx, providers.Question{
		System: learn.AnalysisInstruction(r), Prompt: learn.AnalysisMaterial(r),
		Name: learn.AnalysisName, Schema: learn.AnalysisSchema(), MaxTokens: learn.AnalysisTokens,
	})
	if err != nil {
		return learn.TurnAnalysis{}, fmt.Errorf("ask: %w", err)
	}
	a, err := learn.ReadAnalysis(answer.JSON, r)
	if err != nil {
		return a, err
	}
	for i := range a.Corrections {
		a.Corrections[i].ID = newID("")
	}
	a.TenantID, a.UserID, a.ProfileID, a.ConversationID = p.TenantID, w.request.User.ID, p.ID, w.conversation.ID
	a.Provider = vendorModel(w.Analyst.Name(), answer.Model)
	if err := w.Store.SaveAnalysis(ctx, a); err != nil {
		return a, fmt.Errorf("store: %w", err)
	}
	return a, nil
}

// contained runs f; a panic in it is its error.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}

// shownTo are the corrections that the learner of this profile is shown with the turn.
func shownTo(p learn.Profile, all []learn.Correction) (shown []learn.Correction) {
	if p.CorrectionMode == learn.CorrectSilent {
		return nil
	}
	for _, c := range all {
		if !c.Withheld {
			shown = append(shown, c)
		}
	}
	return shown
}

// clip has the answer spoken at the pace of a live conversation.
func (w *wholeTurn) clip(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, clipWait)
	defer cancel()
	p := w.request.Profile
	clip, err := w.Synthesizer.Synthesize(ctx, providers.Script{
		Text: w.tutor.Content, Language: p.TargetLanguage, VoiceID: p.VoiceID,
		Speed: cmpOr(p.SpeechRate, learn.SpeechRate(w.level())),
	})
	if err != nil {
		return nil, err
	}
	defer clip.Close()
	mp3, err := io.ReadAll(io.LimitReader(clip, maxClip+1))
	switch {
	case err != nil: // half a clip would break off in mid-word
		return nil, err
	case len(mp3) == 0 || len(mp3) > maxClip:
		return nil, &providers.Error{Kind: providers.Unavailable, Vendor: clip.Vendor, Op: "speak",
			Detail: fmt.Sprintf("a clip of %d bytes", len(mp3))}
	}
	return mp3, nil
}
