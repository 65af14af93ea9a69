package session

import (
	"log/slog"
	"time"

	"kalami/session/learn"
)

// Handover is a session as it is at one moment: what another node needs, beside what is
// stored, to go on with it in mid-sentence. It is JSON where it is kept, and fields may be
// added; a node that does not know them goes on without.
type Handover struct {
	SessionID string    `json:"session_id"`
	Epoch     int64     `json:"epoch"`
	StartedAt time.Time `json:"started_at"`
	Config    Config    `json:"config"`
	// Streams is the number of the last response begun; those after it are higher.
	Streams    uint64 `json:"streams"`
	PrevItemID string `json:"prev_item_id,omitempty"`
	Turns      int    `json:"turns"`
	Usage      Usage  `json:"usage"`
	// Utterance is what the learner is in the middle of saying; nil for nothing.
	Utterance *OpenUtterance `json:"utterance,omitempty"`
	// Reply is the tutor's side, from the moment at which it is owed; nil when it was
	// heard and handed to the journal.
	Reply *OpenReply `json:"reply,omitempty"`
	// Pending are messages that are handed to the journal and not known to be stored,
	// oldest first. Storing one again changes nothing.
	Pending []learn.Message `json:"pending,omitempty"`
	// LastMessage is the utterance id of the latest message that the session knows of, be
	// it pending: what is stored after it, the session did not live to see.
	LastMessage string `json:"last_message,omitempty"`
	// ValidUntil is when the access token behind the session ends; zero for none.
	ValidUntil time.Time `json:"valid_until,omitzero"`
	// Moving tells that the client was told to go to another node.
	Moving bool `json:"moving,omitempty"`
	// Adapts tells that nobody chose the patience, so that it follows the learner's pauses.
	Adapts bool `json:"adapts,omitempty"`
	// Review is the card that is asked in a review by voice; empty for none.
	Review string `json:"review,omitempty"`
	// Habits are the learner's, as observed up to now.
	Habits learn.TurnHabits `json:"habits,omitzero"`

	// untold are messages that are stored, of which the client may not have been told so.
	untold []learn.Message
	// settled is the reply that was under way, when it is stored: over, for whom nobody has
	// told the client so; and as what.
	settled *OpenReply
	as      learn.Message
}

// LogValue keeps what was said out of logs.
func (h Handover) LogValue() slog.Value {
	return slog.GroupValue(slog.String("session", h.SessionID), slog.Int64("epoch", h.Epoch))
}

// OpenUtterance is a turn of the learner's that has begun and is not stored. Whoever goes on
// hears its audio again, from the client, and stores it under the same id.
type OpenUtterance struct {
	ItemID string `json:"item_id"`
	// From is the first frame of the microphone that it needs.
	From learn.InputMark `json:"from"`
}

// OpenReply is a reply of the tutor's that is not stored.
type OpenReply struct {
	// ResponseID is empty when nobody has heard of the reply yet: it is only owed.
	ResponseID string `json:"response_id"`
	ItemID     string `json:"item_id"`
	PrevItemID string `json:"prev_item_id,omitempty"`
	Stream     uint16 `json:"stream"`
	// Note is the instruction that it was asked for with, beside the history; empty for
	// an answer to what the learner has said.
	Note string `json:"note,omitempty"`
	// Repeats is the item that it says again, at the pace Speed if that is not the session's;
	// empty for a reply of its own. Text is then all of it.
	Repeats string  `json:"repeats,omitempty"`
	Speed   float64 `json:"speed,omitempty"`
	// Text is what the tutor has said so far, as handed to the voice; Complete tells that
	// there is no more.
	Text     string `json:"text,omitempty"`
	Complete bool   `json:"complete,omitempty"`
	// Sentences are those of Text whose place in the audio is known, in order.
	Sentences []SpokenSentence `json:"sentences,omitempty"`
	// Words are where words end, in bytes of the text and milliseconds of the audio, one
	// pair after the other: those after the sentences that were played, as far as known.
	Words []int `json:"words,omitempty"`
	// FromMS is where in the reply's audio Stream begins: what lies before came in earlier
	// ones. Announced is the event that told of Stream, which the line knows; 0 for
	// one that the client must have seen.
	FromMS    int    `json:"from_ms,omitempty"`
	Announced uint64 `json:"announced,omitempty"`
	// SentMS is how much audio there is of it by now, and PlayedMS how much the client
	// has reported as played; both are brought up to date when something else changes,
	// such as the number of sentences that were played.
	SentMS   int `json:"sent_ms"`
	PlayedMS int `json:"played_ms"`
	// Interrupted is why it was stopped, and the client told to be silent; empty while it
	// goes on.
	Interrupted string `json:"interrupted,omitempty"`
	// Model made Text, of so many Tokens, as far as is known.
	Model  string `json:"model,omitempty"`
	Tokens int    `json:"tokens,omitempty"`

	shown shown
}

// SpokenSentence is where in a reply's text and audio one of its sentences ends.
type SpokenSentence struct {
	To    int `json:"to"`     // bytes of the text
	EndMS int `json:"end_ms"` // of the audio
}

// ResumedResponse says how the response that was under way goes on after a break. All of
// its audio counts as one, whatever streams it comes in: what is spoken again begins at
// AudioEndMS, and so do its captions, its marks and the positions that the client reports.
type ResumedResponse struct {
	ID     string `json:"id"`
	ItemID string `json:"item_id,omitempty"`
	// Action is one of [ActionContinue], [ActionTruncated] and [ActionRespeak].
	Action     string `json:"action" enum:"continue,truncated,respeak" doc:"continue: its audio goes on where it was; truncated: it is over at audio_end_ms; respeak: play what is there up to audio_end_ms, the rest comes in another stream, announced by response.created; captions from there on are void, and places count on from there"`
	AudioEndMS int64  `json:"audio_end_ms" doc:"Of truncated and respeak: where the audio that counts ends"`
	Repeat     bool   `json:"repeat,omitempty" doc:"Of respeak: the sentence being played at the break is heard once more from its beginning"`
	// Captions is of a session.restarted: nobody knows which captions the client has.
	Captions bool `json:"captions_anew,omitempty" doc:"All captions of it are void, and come again from its beginning"`
}

// The actions of [ResumedResponse].
const (
	ActionContinue  = "continue"
	ActionTruncated = "truncated"
	ActionRespeak   = "respeak"
)
