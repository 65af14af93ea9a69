package turntaking

import "time"

// Why says what a turn is still open for.
type Why string

// What a turn is open for.
const (
	WhyNothing    Why = "nothing"    // nothing was heard: there is no turn to end
	WhyTutor      Why = "tutor"      // the tutor has the turn
	WhyManual     Why = "manual"     // push-to-talk: until the client commits it
	WhyUnclear    Why = "unclear"    // a voice without words: they may still come
	WhyPatience   Why = "patience"   // the learner's usual patience
	WhyUnfinished Why = "unfinished" // the sentence plainly goes on
	WhyFinished   Why = "finished"   // it plainly ends, so that less is enough
	WhyAnswered   Why = "answered"   // it answers the tutor's question
	WhyInvited    Why = "invited"    // the tutor's question asks for more than one sentence
	WhyEndpoint   Why = "endpoint"   // the recogniser has ended it, and its word is enough
	WhyVoice      Why = "voice"      // somebody speaks
	WhyHeld       Why = "held"       // the learner asked for time
	WhyBehind     Why = "behind"     // the recogniser is behind, with words to come
	WhyLastWord   Why = "last_word"  // it is over, but for a word on its way
)

// Deadline is until when the turn stays open if nothing more is heard, and what for; the
// zero time when silence does not end it. While somebody speaks it moves on with m.Now,
// so that it is to be asked for again when it has come.
func (k *Clock) Deadline(m Moment) (time.Time, Why) {
	switch {
	case k.Closing() && k.reason == ByPatience:
		return latest(due{k.closing, WhyLastWord}, due{k.caughtUpBy(m), WhyBehind})
	case k.Closing():
		return k.closing, WhyLastWord
	case m.Tutor:
		return time.Time{}, WhyTutor
	case k.text == "" && (k.began.IsZero() || k.voiceOn):
		return time.Time{}, WhyNothing
	case k.text == "":
		unclear := later(k.began, m.Audio.When(k.voiceEndMS)).Add(notUnderstoodWait)
		return latest(due{unclear, WhyUnclear}, due{k.held, WhyHeld})
	case m.Rules.Manual:
		return time.Time{}, WhyManual
	}
	wait, why := k.patience(m)
	if at := k.endpointAt(m); !at.IsZero() {
		return latest(due{at, WhyEndpoint}, due{k.held, WhyHeld}, due{k.caughtUpBy(m), WhyBehind})
	}
	silent := due{k.QuietSince(m.Audio).Add(wait), why}
	if k.voiceOn {
		if again := m.Now.Add(voiceRelease); again.After(silent.at) { // look again when the voice may have ended
			silent = due{again, WhyVoice}
		}
		if limit := k.WordEnd(m.Audio).Add(wait + noiseHold); silent.at.After(limit) {
			silent.at = limit
		}
	}
	return latest(silent, due{k.held, WhyHeld}, due{k.caughtUpBy(m), WhyBehind})
}

// due is a time until which there is something to wait for.
type due struct {
	at  time.Time
	why Why
}

// latest is the one of the times that comes last.
func latest(first due, others ...due) (time.Time, Why) {
	for _, d := range others {
		if d.at.After(first.at) {
			first = d
		}
	}
	return first.at, first.why
}

// patience is how long silence must last after the text, and why.
func (k *Clock) patience(m Moment) (time.Duration, Why) {
	if k.judged.text != k.text || k.judged.question != m.Question || k.judged.language != m.Rules.Language || k.judged.why == "" {
		stretch, why := Judge(m.Rules.Language, k.text, m.Question)
		k.judged = judged{text: k.text, question: m.Question, language: m.Rules.Language, stretch: stretch, why: why}
	}
	return Wait(m.Rules.Patience, k.judged.stretch), k.judged.why
}

// judged keeps what [Judge] said, which is asked for with every event.
type judged struct {
	text, question, language string
	stretch                  float64
	why                      Why
}

// caughtUpBy is until when the next words are awaited of a recogniser that is behind:
// its last ones came late, and there was voice after them. Without this wait each of
// them would be a turn, because its patience ended before it came. Zero when the
// recogniser keeps up.
func (k *Clock) caughtUpBy(m Moment) time.Time {
	voiceTo := k.voiceEndMS
	if k.voiceOn {
		voiceTo = m.Audio.AtMS
	}
	if k.changed.Sub(k.WordEnd(m.Audio)) < lagging || voiceTo-k.wordMS <= outstanding.Milliseconds() {
		return time.Time{}
	}
	return k.changed.Add(catchUpWait)
}
