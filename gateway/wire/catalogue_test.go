package wire

import (
	"encoding/json"
	"time"

	"kalami/session"
)

// The catalogue: one example of everything that travels. The golden files are
// made of it, and a test fails when package session has something that is not here.

func ref[T any](v T) *T { return &v }

func exampleConfig() session.Config {
	return session.Config{
		ID: "vs_1", ConversationID: "c_1", ProfileID: "p_1",
		Language: "es", NativeLanguage: "en", Level: "B1", Topic: "la playa", ScenarioID: "talk-travel",
		CorrectionMode: "balanced", Duplex: "full",
		Audio: session.AudioConfig{
			Input: session.InputConfig{
				Format:        session.Format{Type: "audio/pcm", Rate: 16000},
				TurnDetection: &session.TurnDetection{Type: "patient", PatienceMS: 1500, InterruptResponse: true},
			},
			Output: session.OutputConfig{Format: session.Format{Type: "audio/pcm", Rate: 24000}, Speed: 0.9},
		},
		Parts: session.Parts{STT: "demo", LLM: "demo", TTS: "demo"},
		Demo:  &session.DemoInfo{Missing: []string{"DEEPGRAM_API_KEY"}, Script: []string{"Hola, ¿qué tal?"}},
	}
}

func exampleEvents() []session.Event {
	item := session.Item{ID: "it_1", Role: "user", Status: "completed",
		Content: []session.ItemContent{{Type: "input_audio", Text: "Yo fui a la playa."}}}
	resume := session.Resume{Token: "kr_a", WindowMS: 600000, WarmMS: 30000}
	return []session.Event{
		session.Created{
			Session: exampleConfig(), Protocol: session.Protocol{Version: Version, Features: []string{"barge_in"}},
			Resume: resume,
			Limits: session.Limits{MaxTextBytes: MaxTextBytes, MaxAudioBytes: MaxAudioBytes, MaxDurationMS: 1800000,
				IdleTimeoutMS: 180000, MaxAheadMS: 1500},
			Heartbeat: session.Heartbeat{IntervalMS: 10000, TimeoutMS: 15000},
		},
		session.Updated{Session: exampleConfig()},
		session.Resumed{SessionID: "vs_1", Resume: resume, Warm: true, ReplayedFrom: 16,
			Input:    session.InputPos{Stream: 1, Seq: 397, NextSeq: 398},
			Response: &session.ResumedResponse{ID: "r_1", ItemID: "it_2", Action: session.ActionContinue}},
		session.Restarted{Session: exampleConfig(), Resume: resume, Items: []session.Item{item},
			Input:    session.InputPos{Stream: 1, Seq: 397, NextSeq: 398},
			Response: &session.ResumedResponse{ID: "r_1", ItemID: "it_2", Action: session.ActionRespeak, AudioEndMS: 1840, Repeat: true}},
		session.ResumptionUpdate{Resume: resume, Resumable: true, Input: session.InputPos{Stream: 1, Seq: 41, NextSeq: 42}},
		session.GoAway{Reason: "deploy", TimeLeftMS: 30000, Reconnect: session.Reconnecting{Resume: true, AfterMS: 1200}},
		session.Ended{Reason: "normal", Summary: session.Summary{DurationMS: 61000, Turns: 4,
			Usage:  session.Usage{InputTokens: 800, OutputTokens: 90, Characters: 410},
			Drafts: session.DraftSummary{Started: 5, Released: 4, Dropped: 1, Withheld: 2, Tokens: 9, Characters: 31, WonMS: 2840}}},
		session.SpeechStarted{ItemID: "it_1", AudioStartMS: 820},
		session.SpeechStopped{ItemID: "it_1", AudioEndMS: 2310},
		session.Committed{ItemID: "it_1", PreviousItemID: "it_0", Reason: "semantic"},
		session.TranscriptDelta{ItemID: "it_1", Text: "yo fui a la", Stability: 0.5},
		session.TranscriptCompleted{ItemID: "it_1", Transcript: "Yo fui a la playa.", Language: "es",
			Words: []session.HeardWord{{Word: "Yo", StartMS: 820, EndMS: 960, Confidence: 0.98}}},
		session.TranscriptFailed{ItemID: "it_1", Error: session.Problem{Type: session.UpstreamError,
			Code: session.STTUnavailable, Message: "Recognition does not answer.", RetryAfterMS: 2000}},
		session.ItemAdded{Item: item, PreviousItemID: "it_0"},
		session.ItemDone{Item: item, PreviousItemID: "it_0"},
		session.InputAck{Input: session.InputPos{Stream: 1, Seq: 75, NextSeq: 76}},
		session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1", ItemID: "it_2", Status: "in_progress"},
			Stream: 1, Audio: session.AudioFormat{Format: session.Format{Type: "audio/pcm", Rate: 24000}}},
		session.ResponseCreated{Response: session.ResponseInfo{ID: "r_2", ItemID: "it_3", Status: "in_progress", Repeats: "it_2"},
			Stream: 2, Audio: session.AudioFormat{Format: session.Format{Type: "audio/pcm", Rate: 24000}}},
		session.CaptionDelta{ResponseID: "r_1", ItemID: "it_2", Delta: "¡Muy bien! <3 & \"más\"", AudioStartMS: 0},
		session.CaptionDone{ResponseID: "r_1", ItemID: "it_2", Transcript: "¡Muy bien! ¿Y qué hiciste?"},
		session.Mark{ResponseID: "r_1", Name: "s1", AtMS: 1180, Text: "¡Muy bien!"},
		session.AudioDone{ResponseID: "r_1", ItemID: "it_2", AudioMS: 3050},
		session.ClearAudio{ResponseID: "r_1", Stream: 1, Reason: "turn_detected"},
		session.Truncated{ItemID: "it_2", AudioEndMS: 1840, Transcript: "¡Muy bien! ¿Y qué", Source: "client"},
		session.ResponseDone{
			Response: session.ResponseInfo{ID: "r_1", ItemID: "it_2", Status: "cancelled",
				Details: &session.StatusDetails{Reason: "turn_detected"},
				Usage:   &session.Usage{InputTokens: 210, OutputTokens: 22, Characters: 96}},
			Latency: session.Latency{EndpointMS: 1500, STTFinalMS: 380, LLMFirstMS: 410, ClauseMS: 60, TTSFirstMS: 150,
				EgressMS: 20, FirstAudioMS: 640, BufferMS: 150, HeardMS: 790, ClientMS: 795, DraftMS: 410},
		},
		session.PauseAudio{ResponseID: "r_1", Stream: 1},
		session.ResumeAudio{ResponseID: "r_1", Stream: 1},
		session.Nudge{Kind: session.NudgeHint, Text: "Creo que…"},
		session.Feedback{ItemID: "it_1",
			Corrections: []session.ItemCorrection{{ID: "k_1", Original: "fui a el", Corrected: "fui al", Start: 3, End: 11,
				Category: "article", Severity: "minor", Explanation: "“a” and “el” become “al”."}},
			Scores: &session.Scores{Basis: "asr_recognition", Completeness: ref(100.0), Recognition: ref(87.5)}},
		session.Hint{Text: "Say what you did there: “Nadé en el mar.”", Language: "en"},
		session.Translation{Source: "¿Y qué hiciste?", Text: "And what did you do?", Language: "en", ItemID: "it_2"},
		session.CardAdded{Card: session.AddedCard{ID: "k_2", ProfileID: "p_1", Kind: "fix", Front: "I went to the sea", Back: "fui al mar",
			Context: "Ayer fui a el mar.", Origin: "correction", CorrectionID: "k_1"}},
		session.GoalMet{GoalID: "ask_price", Quote: "¿Cuánto cuesta?"},
		session.ReviewCard{Card: session.AskedCard{ID: "k_2", Kind: "produce", Front: "house", Language: "es", New: true}, Left: 4},
		session.ReviewResult{CardID: "k_2", ReviewID: "rv_1", Replaces: "rv_0", Rating: 3, Mode: "spoken", Right: true, Heard: "la casa", Answer: "la casa",
			Context: "La casa es azul.", DueAt: time.Date(2026, 3, 6, 5, 6, 7, 0, time.UTC)},
		session.ReviewDone{Reviewed: 5, Right: 4},
		session.LessonSummary{Summary: session.LessonReport{Language: "en", WentWell: []string{"You asked for the price."}, NextStep: "Try the past tense.",
			Corrections: 2, Words: []string{"playa"}, LearnerShare: 0.4}},
		session.NotUnderstood{ItemID: "it_4"},
		session.AuthExpiring{ExpiresAt: "2026-01-02T15:04:05Z"},
		session.Warning{Code: session.WarnInputOverrun, Message: "Audio comes faster than it can be spoken."},
		session.Failure{Error: session.Problem{Type: session.InvalidRequest, Code: session.InvalidEvent,
			Message: "played_ms is missing.", Param: "played_ms", EventID: "e7"}},
		session.Ping{ID: "p3", RTTMS: 42},
	}
}

// exampleControl is a client's event; token is set for auth.update alone.
type exampleControl struct {
	control session.Control
	token   string
}

func (e exampleControl) encode(eventID string) ([]byte, error) {
	if e.token != "" {
		return EncodeAuthUpdate(eventID, e.token)
	}
	return EncodeControl(eventID, e.control)
}

func exampleControls() []exampleControl {
	var all []exampleControl
	for _, c := range []session.Control{
		session.UpdateSession{Session: session.ConfigPatch{
			Duplex: ref("half"),
			Audio: &session.AudioPatch{
				Input: &session.InputPatch{
					Format:        &session.Format{Type: "audio/pcm", Rate: 48000},
					TurnDetection: &session.TurnDetectionPatch{PatienceMS: ref(2000), InterruptResponse: ref(false)},
				},
				Output: &session.OutputPatch{Format: &session.Format{Type: "audio/pcm", Rate: 16000}, Speed: ref(0.8)},
			}}},
		session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
			Input: &session.InputPatch{TurnDetection: &session.TurnDetectionPatch{Off: true}}}}},
		session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
			Input: &session.InputPatch{TurnDetection: &session.TurnDetectionPatch{Type: ref(session.TurnsEndpoint)}}}}},
		session.UpdateSession{Session: session.ConfigPatch{Audio: &session.AudioPatch{
			Input: &session.InputPatch{Format: &session.Format{Type: "audio/pcm", Rate: 24000}}}}},
		session.ResumeSession{SessionID: "vs_1", LastSeq: 15,
			Playback: &session.PlaybackState{ResponseID: "r_1", PlayedMS: 1840.5, BufferedMS: 300},
			Input:    session.InputPos{Stream: 1, NextSeq: 412}},
		session.EndSession{Reason: "done"},
		session.CommitInput{},
		session.ClearInput{},
		session.DeviceState{Muted: true, Route: "speaker", NativeRate: 48000, AEC: true, NS: true, AGC: true, Backgrounded: true},
		session.CreateItem{ID: "it_c7", Text: "¿Cómo se dice \"beach\"?\nGracias."},
		session.CreateResponse{Instructions: "Say it again, slower."},
		session.CreateResponse{},
		session.CancelResponse{ResponseID: "r_1"},
		session.PlaybackStarted{ResponseID: "r_1"},
		session.PlaybackStarted{ResponseID: "r_1", LatencyMS: 842.5, SpeechEndMS: 5120, BufferMS: 61},
		session.PlaybackPosition{PlaybackState: session.PlaybackState{ResponseID: "r_1", PlayedMS: 250.25, BufferedMS: 900}, Underruns: 2},
		session.PlaybackMark{Name: "s1", ResponseID: "r_1", PlayedMS: 1183},
		session.PlaybackStopped{ResponseID: "r_1", PlayedMS: 3050},
		session.PlaybackCleared{ResponseID: "r_1", PlayedMS: 1840, DroppedMS: 1210},
		session.AckEvents{Seq: 32},
		session.Pong{ID: "p3", TS: 61234},
		session.HoldTurn{MS: 15000},
		session.SetTutor{PatienceMS: ref(3000), SpeechRate: ref(0.7), CorrectionMode: ref("elicit")},
		session.SetTutor{},
		session.AskHint{},
		session.Translate{ItemID: "it_2"},
		session.Translate{Text: "¿Y qué hiciste?"},
		session.Repeat{Slow: true},
		session.Repeat{},
		session.EditTranscript{ItemID: "it_1", Text: "Yo fui a la plaza."},
		session.AnswerReview{CardID: "k_2", Rating: 3},
		session.AnswerReview{CardID: "k_2"},
	} {
		all = append(all, exampleControl{control: c})
	}
	return append(all, exampleControl{token: "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"})
}

// typeOf returns the type field of an encoded event.
func typeOf(data []byte) string {
	var head struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(data, &head)
	return head.Type
}
