package session

import (
	"time"

	"kalami/providers"
)

// How a turn's time is measured.
//
// The learner counts from the end of their speech to the first sample that they hear.
// Both are known to the client alone, which may tell them (output_audio_buffer.started);
// the server works them out beside, so that each checks the other:
//
//   - The end of speech is a place in the microphone's audio: where the voice ended, or
//     the last word if the voice does not fit it. The clock knows when that audio would
//     have come without jitter; half a round trip earlier it was spoken.
//   - The first sample was heard half a round trip before the client's report of it came,
//     and half a round trip and the player's buffer after the first frame was written.

const (
	// besideWord is how far from the end of the last word a voice may begin or end and
	// still be that word's: recognisers place words within some tenths of a second.
	besideWord = 500 * time.Millisecond
	// beforeTurn is how long before the turn was noticed its voice may have begun.
	beforeTurn = 2 * time.Second
	// outputMost is the longest delay of a loudspeaker that is believed.
	outputMost = time.Second
)

// replyTimes are the moments of a reply, zero where not reached.
type replyTimes struct {
	// of the turn that is answered; zero when nothing was spoken before the reply
	speechEnd, final time.Time
	// turnEnd is when the reply became wanted, and asked when the tutor was asked for it: a draft is asked for earlier
	turnEnd, asked                      time.Time
	firstToken, firstClause, firstAudio time.Time
	firstSent                           time.Time
	// What the client said of the first sample that it heard: when its report left it (zero
	// when there was none), how long it had buffered, and what it measured from the end of
	// speech to that sample. The last two are 0 when it did not say.
	reported       time.Time
	buffer, client time.Duration
	way            time.Duration // from here to the client, then
}

// answers says that the reply answers a turn, and when the speech of that turn and the
// turn itself ended.
func (t *replyTimes) answers(speechEnd, final, turnEnd time.Time) {
	t.speechEnd, t.final, t.turnEnd = speechEnd, final, turnEnd
}

// heard is when the first sample was heard; zero if the client did not report it. There
// are two ways to tell: when the report left the client, and when the first frame
// reached it, plus the time for which it was buffered. A report that is held up makes
// the first too late, and a frame that is held up the second too early, so that the
// truth is between; a loudspeaker's own delay, for which no report waits, makes the
// second the later one, and true.
func (t *replyTimes) heard() time.Time {
	switch reported := later(t.reported, t.firstSent); {
	case t.reported.IsZero() || t.firstSent.IsZero():
		return time.Time{}
	case t.buffer == 0: // or not told
		return reported
	default:
		buffered := t.firstSent.Add(t.way + t.buffer)
		if ahead := reported.Sub(buffered); ahead > 0 {
			return buffered.Add(ahead / 2)
		}
		return earlier(buffered, reported.Add(outputMost))
	}
}

// latency is where the time of the reply went.
func (t *replyTimes) latency() Latency {
	heard := t.heard()
	l := Latency{
		EndpointMS: between(t.speechEnd, t.turnEnd), STTFinalMS: between(t.speechEnd, t.final),
		LLMFirstMS: between(t.asked, t.firstToken), ClauseMS: between(t.firstToken, t.firstClause),
		TTSFirstMS: between(t.firstClause, t.firstAudio), EgressMS: between(later(t.firstAudio, t.turnEnd), t.firstSent),
		FirstAudioMS: between(t.speechEnd, t.firstSent), BufferMS: between(t.firstSent, heard), HeardMS: between(t.speechEnd, heard),
	}
	if !heard.IsZero() && !t.speechEnd.IsZero() {
		l.ClientMS = milliseconds(t.client)
	}
	if t.asked.Before(t.turnEnd) {
		l.DraftMS = between(t.asked, t.turnEnd)
		if !t.firstAudio.IsZero() {
			l.DraftMS = min(l.DraftMS, between(t.asked, t.firstAudio))
		}
	}
	return l
}

// between is the time from one moment to another in milliseconds; 0 if one was not
// reached, or if they came the other way round.
func between(from, to time.Time) int {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return milliseconds(to.Sub(from))
}

// milliseconds rounds, so that stages add up to their sum within one each.
func milliseconds(d time.Duration) int { return int(d.Round(time.Millisecond).Milliseconds()) }

// stretch is a place in the session's audio where there was voice.
type stretch struct{ fromMS, toMS int64 } // toMS is 0 while it goes on

// open says whether the voice goes on.
func (s stretch) open() bool { return s.toMS == 0 }

// maxStretches bounds how many are remembered; the oldest is forgotten.
const maxStretches = 16

// noteVoice remembers where the learner's voice was.
func (c *conductor) noteVoice(e voiceEdge) {
	if e.kind == voiceStarted {
		if len(c.voices) == maxStretches {
			c.voices = append(c.voices[:0], c.voices[1:]...)
		}
		c.voices = append(c.voices, stretch{fromMS: e.atMS})
		return
	}
	if n := len(c.voices); n > 0 {
		c.voices[n-1].toMS = e.atMS
	}
}

// speechEnd is when the learner whose turn it is fell silent, at the learner. It is
// taken when the turn ends, before what was said is handed on.
func (c *conductor) speechEnd() time.Time {
	l, now := &c.learner, time.Now()
	beganMS := c.clock.nowMS() - (now.Sub(l.clock.Began()) + beforeTurn).Milliseconds()
	atMS := endOfSpeech(c.voices, lastWordMS(l.words()), beganMS)
	if atMS == 0 { // nobody says where in the audio it ended
		return l.clock.WordEnd(c.clock.audio()).Add(-c.watch.rtt / 2)
	}
	return earlier(c.clock.promptly(atMS).Add(-c.watch.rtt/2), now)
}

// endOfSpeech is where the voice of the last word ended, that word's own end if there
// was no voice at it, and the end of the last voice after beganMS if recognisers do
// not place words (wordMS is 0). It is 0 when all of that is missing. A voice that
// begins well after the last word is a cough.
func endOfSpeech(voices []stretch, wordMS, beganMS int64) int64 {
	const beside = int64(besideWord / time.Millisecond)
	end := wordMS
	for _, v := range voices {
		theirs := v.fromMS <= wordMS+beside && v.toMS >= wordMS-beside
		if wordMS == 0 {
			theirs = v.toMS > beganMS
		}
		if theirs && v.toMS > 0 {
			end = v.toMS
		}
	}
	return end
}

// lastWordMS is where the last word that has a time ends; 0 when none has.
func lastWordMS(words []providers.Word) (ms int64) {
	for _, w := range words {
		ms = max(ms, int64(w.EndMS))
	}
	return ms
}

// firstHeard takes the client's word that the reply's first sample sounds. Figures longer
// than the session are none.
func (c *conductor) firstHeard(r *reply, m PlaybackStarted, now time.Time) {
	t, most := &r.timings, float64(now.Sub(c.started).Milliseconds())
	if !t.reported.IsZero() || len(r.wait.clips) > 0 && t.firstSent.IsZero() { // a clip is no answer
		return
	}
	t.way = c.watch.rtt / 2
	t.reported = now.Add(-t.way)
	told := func(ms float64) time.Duration {
		if ms = amount(ms); ms > most {
			c.count(ReportsClamped, 1)
			return 0
		}
		return time.Duration(ms * float64(time.Millisecond))
	}
	t.buffer, t.client = told(m.BufferMS), told(m.LatencyMS)
}

// over tells the node's meter where the time of a reply went that is over.
func (c *conductor) over(r *reply) Latency {
	l := r.timings.latency()
	if c.meter != nil {
		c.meter.Turn(l)
	}
	return l
}
