package session

import (
	"context"
	"fmt"
	"io"

	"kalami/providers"
	"kalami/session/learn"
)

// maxClip bounds a clip of the tutor's answer, in bytes: some minutes, while an answer
// takes half of one.
const maxClip = 8 << 20

// reviewed is what there is to say something about.
func (w *wholeTurn) reviewed() learn.Reviewed {
	return learn.Reviewed{
		Language: w.request.Profile.TargetLanguage, NativeLanguage: w.request.User.NativeLanguage, Level: w.level(),
		Learner: w.learner, Question: w.question, Answer: w.tutor.Content, Plan: learn.Plan{Goals: w.conversation.Scene.Open()},
	}
}

// whose is whom an analysis of the turn belongs to.
func (w *wholeTurn) whose() learn.TurnAnalysis {
	p := w.request.Profile
	return learn.TurnAnalysis{TenantID: p.TenantID, UserID: w.request.User.ID, ProfileID: p.ID,
		ConversationID: w.conversation.ID, MessageID: w.learner.ID}
}

// analyse asks what the learner's message shows and keeps what holds of it. What fails is
// done again later, by [Analyses].
func (w *wholeTurn) analyse(ctx context.Context) (learn.TurnAnalysis, error) {
	a, err := Analyse(ctx, w.Analyst, w.reviewed())
	if err != nil {
		return a, err
	}
	of := w.whose()
	a.TenantID, a.UserID, a.ProfileID, a.ConversationID = of.TenantID, of.UserID, of.ProfileID, of.ConversationID
	if err := w.save(ctx, a); err != nil {
		return a, fmt.Errorf("store: %w", err)
	}
	return a, nil
}

func (w *wholeTurn) save(ctx context.Context, a learn.TurnAnalysis) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	return w.Store.SaveAnalysis(ctx, a)
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
