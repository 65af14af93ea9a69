package session

// EventType implementations: the protocol's names.
func (Created) EventType() string          { return "session.created" }
func (Updated) EventType() string          { return "session.updated" }
func (Resumed) EventType() string          { return "session.resumed" }
func (Restarted) EventType() string        { return "session.restarted" }
func (ResumptionUpdate) EventType() string { return "session.resumption_update" }
func (GoAway) EventType() string           { return "session.goaway" }
func (Ended) EventType() string            { return "session.ended" }
func (SpeechStarted) EventType() string    { return "input_audio_buffer.speech_started" }
func (SpeechStopped) EventType() string    { return "input_audio_buffer.speech_stopped" }
func (Committed) EventType() string        { return "input_audio_buffer.committed" }
func (TranscriptDelta) EventType() string {
	return "conversation.item.input_audio_transcription.delta"
}
func (TranscriptCompleted) EventType() string {
	return "conversation.item.input_audio_transcription.completed"
}
func (TranscriptFailed) EventType() string {
	return "conversation.item.input_audio_transcription.failed"
}
func (ItemAdded) EventType() string       { return "conversation.item.added" }
func (ItemDone) EventType() string        { return "conversation.item.done" }
func (InputAck) EventType() string        { return "input_audio_buffer.ack" }
func (ResponseCreated) EventType() string { return "response.created" }
func (CaptionDelta) EventType() string    { return "response.output_audio_transcript.delta" }
func (CaptionDone) EventType() string     { return "response.output_audio_transcript.done" }
func (Mark) EventType() string            { return "output_audio_buffer.mark" }
func (AudioDone) EventType() string       { return "response.output_audio.done" }
func (ClearAudio) EventType() string      { return "output_audio_buffer.clear" }
func (Truncated) EventType() string       { return "conversation.item.truncated" }
func (ResponseDone) EventType() string    { return "response.done" }
func (PauseAudio) EventType() string      { return "output_audio_buffer.pause" }
func (ResumeAudio) EventType() string     { return "output_audio_buffer.resume" }
func (Nudge) EventType() string           { return "tutor.nudge" }
func (NotUnderstood) EventType() string   { return "tutor.not_understood" }
func (AuthExpiring) EventType() string    { return "auth.expiring" }
func (Warning) EventType() string         { return "warning" }
func (Failure) EventType() string         { return "error" }
func (Ping) EventType() string            { return "ping" }
func (Feedback) EventType() string        { return "tutor.feedback" }
func (Hint) EventType() string            { return "tutor.hint" }
func (Translation) EventType() string     { return "tutor.translation" }
func (CardAdded) EventType() string       { return "tutor.card.added" }
func (GoalMet) EventType() string         { return "tutor.goal.met" }
func (LessonSummary) EventType() string   { return "tutor.summary" }
func (ReviewCard) EventType() string      { return "tutor.review.card" }
func (ReviewResult) EventType() string    { return "tutor.review.result" }
func (ReviewDone) EventType() string      { return "tutor.review.done" }
