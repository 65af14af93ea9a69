package gateway

import (
	"time"

	"kalami/session/learn"
)

// conversationJSON is a conversation as the API shows it, which calls it a session: the
// original's seven fields, those that its app expects beside them, and ours.
type conversationJSON struct {
	ID              string     `json:"id" doc:"UUID" example:"0197b0f2-7c1e-7b6a-9a54-3f1d2f0c8e11"`
	Topic           string     `json:"topic" example:"General conversation"`
	StartedAt       time.Time  `json:"started_at" example:"2026-03-04T05:06:07Z"`
	EndedAt         *time.Time `json:"ended_at" doc:"null while it is active" example:"2026-03-04T05:16:37Z"`
	DurationSeconds int        `json:"duration_seconds" doc:"From its start to its end, or to what was said last while it is active" example:"630"`
	WordsSpoken     int        `json:"words_spoken" doc:"The learner's" example:"118"`
	CorrectionsMade int        `json:"corrections_made" doc:"Mistakes that the learner was shown" example:"4"`
	Disputed        int        `json:"corrections_disputed" doc:"Those of them that the learner has disputed at some time" example:"1"`

	ProfileID       string   `json:"profile_id" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	UserID          string   `json:"user_id" example:"0197b0f0-0a1b-7c2d-9e3f-4a5b6c7d8e9f"`
	TargetLanguage  string   `json:"target_language" doc:"The profile's" example:"es"`
	DifficultyLevel string   `json:"difficulty_level" doc:"CEFR level at its start" enum:"A1,A2,B1,B2,C1,C2" example:"A2"`
	MessageCount    int      `json:"message_count" example:"24"`
	AccuracyScore   *float64 `json:"accuracy_score" doc:"Always null: what was recognised cannot tell how right it was"`

	Status               string     `json:"status" enum:"active,ended,abandoned" example:"ended"`
	EndReason            *string    `json:"end_reason" doc:"null while it is active" example:"normal"`
	Mode                 string     `json:"mode" doc:"What it was started for" enum:"live,turn,text,review" example:"turn"`
	ClientKey            *string    `json:"client_key" doc:"As the client gave it, or null"`
	ScenarioID           *string    `json:"scenario_id" doc:"What is played, see /scenarios; null for free talk" example:"order-in-a-cafe"`
	Goals                []goalJSON `json:"goals" doc:"Those of its scenario, in its order, as they stood when it began; none for free talk"`
	Turns                int        `json:"turns" doc:"The learner's" example:"12"`
	SpeakingSeconds      float64    `json:"speaking_seconds" doc:"The learner's own voice, without pauses and the tutor" example:"142.5"`
	TutorSpeakingSeconds float64    `json:"tutor_speaking_seconds" doc:"What the learner heard of the tutor" example:"201.25"`
	LastActivityAt       time.Time  `json:"last_activity_at" doc:"When something was last said in it, or when it began" example:"2026-03-04T05:16:37Z"`
}

func showConversation(c learn.Conversation) conversationJSON {
	out := conversationJSON{
		ID: c.ID, Topic: c.Topic, StartedAt: c.StartedAt.UTC(),
		WordsSpoken: c.Totals.Words, CorrectionsMade: c.Corrections, Disputed: c.Disputes,
		ProfileID: c.ProfileID, UserID: c.UserID, TargetLanguage: c.Language,
		DifficultyLevel: string(c.Level), MessageCount: max(0, c.NextSeq-1),
		Status: c.Status, EndReason: orNull(c.EndReason), Mode: c.Mode, ClientKey: orNull(c.ClientKey), ScenarioID: orNull(playedIn(c)),
		Goals: showGoals(c.Scene.Progress()), Turns: c.Totals.Turns, SpeakingSeconds: c.Totals.Learner.Seconds(), TutorSpeakingSeconds: c.Totals.Tutor.Seconds(),
		LastActivityAt: c.LastActivityAt.UTC(),
	}
	until := c.LastActivityAt
	if c.EndedAt != nil {
		until = *c.EndedAt
		ended := until.UTC()
		out.EndedAt = &ended
	}
	out.DurationSeconds = int(max(0, until.Sub(c.StartedAt)).Seconds())
	return out
}

func showConversations(cs []learn.Conversation) []conversationJSON {
	out := make([]conversationJSON, len(cs)) // [] and never null
	for i, c := range cs {
		out[i] = showConversation(c)
	}
	return out
}

// messageJSON is a message as the API shows it: the original's four fields, the names
// that its app expects for them, and ours.
type messageJSON struct {
	ID        string    `json:"id" example:"0197b0f3-2b3c-7d4e-8f5a-6b7c8d9e0f1a"`
	Role      string    `json:"role" enum:"user,assistant" example:"user"`
	Content   string    `json:"content" doc:"What the learner said or typed, or all that the tutor meant to say" example:"Ayer yo fue al mercado."`
	CreatedAt time.Time `json:"created_at" example:"2026-03-04T05:07:09Z"`

	ContentText           string             `json:"content_text" doc:"The same as content" example:"Ayer yo fue al mercado."`
	Timestamp             time.Time          `json:"timestamp" doc:"The same as created_at" example:"2026-03-04T05:07:09Z"`
	SessionID             string             `json:"session_id" example:"0197b0f2-7c1e-7b6a-9a54-3f1d2f0c8e11"`
	AudioURL              *string            `json:"audio_url" doc:"Always null: sound is not kept"`
	GrammarCorrections    []correctionJSON   `json:"grammar_corrections" doc:"Of a learner's message; empty for the tutor's"`
	PronunciationFeedback *pronunciationJSON `json:"pronunciation_feedback" doc:"Always null until an assessor of sounds is connected: a recogniser cannot tell"`

	Seq         int     `json:"seq" doc:"Place in the session, from 1" example:"3"`
	HeardText   string  `json:"heard_text" doc:"The part of content that was heard, when the learner interrupted the tutor" example:"Ayer yo fue al mercado."`
	Interrupted bool    `json:"interrupted" doc:"Whether the learner interrupted it" example:"false"`
	Source      string  `json:"source" enum:"voice,text" doc:"Whether it was said or typed" example:"voice"`
	Original    *string `json:"original_text" doc:"What was understood first, where the learner has said that it was something else; else null"`
}

// pronunciationJSON is what the original's app shows of how something was pronounced.
type pronunciationJSON struct {
	OverallScore        float64  `json:"overall_score" doc:"From 0 to 100"`
	ProblematicPhonemes []string `json:"problematic_phonemes" doc:"Sounds that were not clear, in IPA"`
	Suggestions         []string `json:"suggestions" doc:"What to practise"`
}

func showMessage(m learn.Message, corrections []learn.Correction) messageJSON {
	at := m.CreatedAt.UTC()
	return messageJSON{
		ID: m.ID, Role: string(m.Speaker), Content: m.Content, CreatedAt: at,
		ContentText: m.Content, Timestamp: at, SessionID: m.ConversationID,
		GrammarCorrections: showCorrections(corrections),
		Seq:                m.Seq, HeardText: m.Heard, Interrupted: m.Interrupted, Source: m.Source,
		Original: orNull(m.Original),
	}
}

// correctionJSON is one mistake of the learner's, and the right form.
type correctionJSON struct {
	Original    string `json:"original" doc:"As it stands in the message" example:"yo fue"`
	Corrected   string `json:"corrected" example:"yo fui"`
	Explanation string `json:"explanation" doc:"In the learner's own language" example:"The first person of ir in the past is fui."`
	Category    string `json:"category" doc:"What kind of mistake it is" example:"verb_form"`
	Start       int    `json:"start" doc:"Where original begins in the message, in Unicode code points" example:"5"`
	End         int    `json:"end" doc:"Where it ends; the first code point behind it" example:"11"`
}

func showCorrections(cs []learn.Correction) []correctionJSON {
	out := make([]correctionJSON, 0, len(cs)) // [] and never null
	for _, c := range cs {
		out = append(out, correctionJSON{
			Original: c.Original, Corrected: c.Corrected, Explanation: c.Explanation,
			Category: string(c.Category), Start: c.Start, End: c.End,
		})
	}
	return out
}
