package wire

import (
	"encoding/json"
	"slices"

	"kalami/session"
)

// decodeEvent decodes a server's event by its name.
func decodeEvent(name string, data []byte) (session.Event, error) {
	switch name {
	case session.Created{}.EventType():
		return decodeAs[session.Created](data)
	case session.Updated{}.EventType():
		return decodeAs[session.Updated](data)
	case session.Resumed{}.EventType():
		return decodeAs[session.Resumed](data)
	case session.Restarted{}.EventType():
		return decodeAs[session.Restarted](data)
	case session.ResumptionUpdate{}.EventType():
		return decodeAs[session.ResumptionUpdate](data)
	case session.GoAway{}.EventType():
		return decodeAs[session.GoAway](data)
	case session.Ended{}.EventType():
		return decodeAs[session.Ended](data)
	case session.SpeechStarted{}.EventType():
		return decodeAs[session.SpeechStarted](data)
	case session.SpeechStopped{}.EventType():
		return decodeAs[session.SpeechStopped](data)
	case session.Committed{}.EventType():
		return decodeAs[session.Committed](data)
	case session.TranscriptDelta{}.EventType():
		return decodeAs[session.TranscriptDelta](data)
	case session.TranscriptCompleted{}.EventType():
		return decodeAs[session.TranscriptCompleted](data)
	case session.TranscriptFailed{}.EventType():
		return decodeAs[session.TranscriptFailed](data)
	case session.ItemAdded{}.EventType():
		return decodeAs[session.ItemAdded](data)
	case session.ItemDone{}.EventType():
		return decodeAs[session.ItemDone](data)
	case session.InputAck{}.EventType():
		return decodeAs[session.InputAck](data)
	case session.ResponseCreated{}.EventType():
		return decodeAs[session.ResponseCreated](data)
	case session.CaptionDelta{}.EventType():
		return decodeAs[session.CaptionDelta](data)
	case session.CaptionDone{}.EventType():
		return decodeAs[session.CaptionDone](data)
	case session.Mark{}.EventType():
		return decodeAs[session.Mark](data)
	case session.AudioDone{}.EventType():
		return decodeAs[session.AudioDone](data)
	case session.ClearAudio{}.EventType():
		return decodeAs[session.ClearAudio](data)
	case session.Truncated{}.EventType():
		return decodeAs[session.Truncated](data)
	case session.ResponseDone{}.EventType():
		return decodeAs[session.ResponseDone](data)
	}
	return decodeNotice(name, data)
}

// decodeNotice decodes the events that are not part of a turn.
func decodeNotice(name string, data []byte) (session.Event, error) {
	switch name {
	case session.PauseAudio{}.EventType():
		return decodeAs[session.PauseAudio](data)
	case session.ResumeAudio{}.EventType():
		return decodeAs[session.ResumeAudio](data)
	case session.Nudge{}.EventType():
		return decodeAs[session.Nudge](data)
	case session.Feedback{}.EventType():
		return decodeAs[session.Feedback](data)
	case session.Hint{}.EventType():
		return decodeAs[session.Hint](data)
	case session.Translation{}.EventType():
		return decodeAs[session.Translation](data)
	case session.CardAdded{}.EventType():
		return decodeAs[session.CardAdded](data)
	case session.GoalMet{}.EventType():
		return decodeAs[session.GoalMet](data)
	case session.LessonSummary{}.EventType():
		return decodeAs[session.LessonSummary](data)
	case session.ReviewCard{}.EventType():
		return decodeAs[session.ReviewCard](data)
	case session.ReviewResult{}.EventType():
		return decodeAs[session.ReviewResult](data)
	case session.ReviewDone{}.EventType():
		return decodeAs[session.ReviewDone](data)
	case session.NotUnderstood{}.EventType():
		return decodeAs[session.NotUnderstood](data)
	case session.AuthExpiring{}.EventType():
		return decodeAs[session.AuthExpiring](data)
	case session.Warning{}.EventType():
		return decodeAs[session.Warning](data)
	case session.Failure{}.EventType():
		return decodeAs[session.Failure](data)
	case session.Ping{}.EventType():
		return decodeAs[session.Ping](data)
	}
	return RawEvent{Type: name, Data: slices.Clone(data)}, nil
}

func decodeAs[E session.Event](data []byte) (session.Event, error) {
	var ev E
	if err := json.Unmarshal(data, &ev); err != nil {
		return nil, err
	}
	return ev, nil
}
