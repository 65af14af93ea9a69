package session

import "time"

// endpointAt is when the recogniser ended the learner's turn, where its word is
// enough ([TurnsEndpoint]); zero while it has not ended it, while a voice goes on, and
// when there was voice since that it has not told of: then patience decides.
func (c *conductor) endpointAt() time.Time {
	l, td := &c.learner, c.config.Audio.Input.TurnDetection
	if td == nil || td.Type != TurnsEndpoint || l.open || l.voiceOn || c.voiceUnheard() {
		return time.Time{}
	}
	return l.finalAt
}

// voiceUnheard says whether there was voice after the last final whose words are
// still on their way.
func (c *conductor) voiceUnheard() bool {
	l := &c.learner
	return l.voiceEndMS-l.lastWordMS > outstanding.Milliseconds() && c.clock.when(l.voiceEndMS).After(l.finalAt)
}

// endReason is why a turn ends that is due: the recogniser's word, or patience.
func (c *conductor) endReason() string {
	if !c.endpointAt().IsZero() {
		return "vad"
	}
	return "semantic"
}
