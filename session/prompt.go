package session

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"kalami/providers"
	"kalami/session/learn"
)

// What the tutor is asked, and how its reply is read, is the same for a live
// conversation and for turns that are sent whole; it stands here once.

// historyMost is how many messages of the conversation the tutor is reminded of.
const historyMost = 60

// promptMost bounds these together, in characters: some 8,000 tokens. The oldest are left
// out; the last is always there.
const promptMost = 24_000

// remember adds a message to what the tutor is reminded of. It may change history.
func remember(history []learn.Message, m learn.Message) []learn.Message {
	history = append(history, m)
	if len(history) > historyMost {
		history = append(history[:0], history[len(history)-historyMost:]...)
	}
	return history
}

// tutorPrompt makes the tutor's instruction from the conversation so far, each message
// of which it holds once: the learner's as it was said, the tutor's as far as it was
// heard. note is for this reply alone, or empty.
func tutorPrompt(t learn.Tutoring, history []learn.Message, note string) providers.Prompt {
	p := providers.Prompt{
		System:    learn.TutorInstruction(t),
		Reminder:  learn.Reminder(t.Level, t.Language, unheard(history), note),
		MaxTokens: learn.ReplyTokens(t.Level),
	}
	left := promptMost
	for _, m := range slices.Backward(history) {
		line := providers.Line{Role: providers.RoleLearner, Text: learn.Said(m.Content)}
		if m.Speaker == learn.SpeakerTutor {
			line = providers.Line{Role: providers.RoleTutor, Text: m.Heard}
		}
		if left -= utf8.RuneCountInString(line.Text); left < 0 && len(p.Lines) > 0 {
			break
		}
		if line.Text != "" {
			p.Lines = append(p.Lines, line)
		}
	}
	slices.Reverse(p.Lines)
	return p
}

// unheard is the interrupted message that the learner's last words answer, if it was interrupted.
func unheard(history []learn.Message) *learn.Message {
	for i := len(history) - 1; i >= 0; i-- {
		if m := &history[i]; m.Speaker == learn.SpeakerTutor {
			if m.Interrupted {
				return m
			}
			return nil
		}
	}
	return nil
}

// replyTime bounds how long the tutor may take for a whole reply. The time for which
// whoever takes the words, such as a voice that speaks in real time, holds it up is not
// the tutor's.
const replyTime = 60 * time.Second

// readReply has the tutor reply and gives what can be spoken of it to say, piece by
// piece as it comes. It returns the last delta when the reply is complete, else the
// tutor's error, or say's.
func readReply(ctx context.Context, tutor providers.Tutor, p providers.Prompt, say func(text string) error) (providers.Delta, error) {
	left, since := replyTime, time.Now()
	ctx, patience := providers.Watch(ctx, left, "no whole reply")
	defer patience.Stop()
	for delta, err := range tutor.Reply(ctx, p) {
		if err != nil {
			return delta, err
		}
		patience.Pause()
		left -= time.Since(since)
		if text := speakable(delta.Text); text != "" {
			if err := say(text); err != nil {
				return delta, err
			}
		}
		if delta.Done {
			return delta, nil
		}
		since = time.Now()
		patience.Resume(max(0, left), "no whole reply")
	}
	return providers.Delta{}, &providers.Error{Kind: providers.Unavailable, Vendor: tutor.Name(), Op: "reply", Detail: "the reply did not end"}
}

// nothingSaid is the failure of a complete reply without a word that can be spoken.
func nothingSaid(tutor providers.Tutor) error {
	return &providers.Error{Kind: providers.Unavailable, Vendor: tutor.Name(), Op: "reply", Detail: "there was nothing to say in it"}
}
