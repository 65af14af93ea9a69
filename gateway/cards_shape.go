package gateway

import (
	"time"

	"kalami/session/learn"
)

// cardJSON is a card as the API shows it.
type cardJSON struct {
	ID               string     `json:"id" doc:"As the client made it, else a UUID" example:"0197b0f4-5a6b-7c8d-9e0f-1a2b3c4d5e6f"`
	ProfileID        string     `json:"profile_id" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Language         string     `json:"language" doc:"The profile's" example:"es"`
	Kind             string     `json:"kind" doc:"What it asks for: to understand, to find, to say, or to say right what was wrong" enum:"recognise,produce,speak,fix" example:"produce"`
	Front            string     `json:"front" doc:"What is asked" example:"house"`
	Back             string     `json:"back" doc:"The answer" example:"la casa"`
	Context          string     `json:"context" doc:"Where it came from, or what explains it" example:"La casa es azul."`
	Tags             []string   `json:"tags" doc:"In order, without space in them" example:"[\"home\"]"`
	Origin           string     `json:"origin" doc:"Where it came from" enum:"manual,import,correction,message,l1_word" example:"manual"`
	Level            *string    `json:"level" doc:"CEFR level of the word; null when it is not known" enum:"A1,A2,B1,B2,C1,C2" example:"A1"`
	MessageID        *string    `json:"source_message_id" doc:"The message that it was made from, or null"`
	CorrectionID     *string    `json:"source_correction_id" doc:"The correction that it was made from, or null"`
	State            string     `json:"state" doc:"Relearning is after a lapse" enum:"new,learning,review,relearning" example:"review"`
	Stability        float64    `json:"stability" doc:"Days after which nine of ten such cards are still known; 0 for a new one" example:"15.7"`
	Difficulty       float64    `json:"difficulty" doc:"1 to 10; 0 for a new one" example:"3.2"`
	DueAt            *time.Time `json:"due_at" doc:"null for a new one, which is due at once" example:"2026-03-20T05:06:07Z"`
	LastReviewedAt   *time.Time `json:"last_reviewed_at" doc:"null for a new one" example:"2026-03-04T05:06:07Z"`
	Reps             int        `json:"reps" doc:"Reviews that count" example:"3"`
	Lapses           int        `json:"lapses" doc:"How often it was forgotten" example:"0"`
	ScheduledDays    int        `json:"scheduled_days" doc:"From the last review to the next" example:"16"`
	Leech            bool       `json:"leech" doc:"It was forgotten eight times: better changed than repeated" example:"false"`
	SuspendedAt      *time.Time `json:"suspended_at" doc:"Since when it is not asked; null when it is"`
	TimesEncountered int        `json:"times_encountered" doc:"In conversations" example:"2"`
	TimesUsed        int        `json:"times_used_correctly" doc:"In conversations, rightly and unprompted" example:"1"`
	LastUsedAt       *time.Time `json:"last_used_at" doc:"When it was last used so; null: never"`
	CreatedAt        time.Time  `json:"created_at" example:"2026-03-04T05:06:07Z"`
	UpdatedAt        time.Time  `json:"updated_at" example:"2026-03-04T05:06:07Z"`
}

func showCard(c learn.Card) cardJSON {
	return cardJSON{
		ID: c.ID, ProfileID: c.ProfileID, Language: c.Language, Kind: string(c.Kind), Front: c.Front, Back: c.Back, Context: c.Context,
		Tags: append([]string{}, c.Tags...), Origin: string(c.Origin), Level: orNull(string(c.Level)),
		MessageID: orNull(c.MessageID), CorrectionID: orNull(c.CorrectionID),
		State: string(c.Memory.State), Stability: c.Memory.Stability, Difficulty: c.Memory.Difficulty,
		DueAt: timeOrNull(c.Memory.DueAt), LastReviewedAt: timeOrNull(c.Memory.LastReviewedAt),
		Reps: c.Memory.Reps, Lapses: c.Memory.Lapses, ScheduledDays: c.Memory.ScheduledDays, Leech: c.Leech,
		SuspendedAt: timeOrNull(c.SuspendedAt), TimesEncountered: c.Encountered, TimesUsed: c.UsedCorrectly, LastUsedAt: timeOrNull(c.LastUsedAt),
		CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}

func showCards(cards []learn.Card) []cardJSON {
	out := make([]cardJSON, len(cards)) // [] and never null
	for i, c := range cards {
		out[i] = showCard(c)
	}
	return out
}

// timeOrNull is nil for a zero time.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// addedCardJSON answers what adds a card.
type addedCardJSON struct {
	ID      string   `json:"id" doc:"The card's, which is another than the one asked for when it was merged" example:"0197b0f4-5a6b-7c8d-9e0f-1a2b3c4d5e6f"`
	Outcome string   `json:"outcome" doc:"repeated: the id was there already, and nothing was changed; merged: the profile has a card of that kind and answer; deleted: the id is a deleted card's" enum:"created,repeated,merged,deleted" example:"created"`
	Card    cardJSON `json:"card" doc:"As it is now"`
}

func showAddedCard(a learn.AddedCard) addedCardJSON {
	return addedCardJSON{ID: a.Card.ID, Outcome: string(a.Outcome), Card: showCard(a.Card)}
}

// cardResultJSON is what became of one card of many.
type cardResultJSON struct {
	Index   int                `json:"index" doc:"Its place in the request, from 0" example:"0"`
	ID      *string            `json:"id" doc:"The card's, which is another than the one asked for when it was merged; null when it was rejected" example:"0197b0f4-5a6b-7c8d-9e0f-1a2b3c4d5e6f"`
	Outcome string             `json:"outcome" doc:"As for one card; rejected: nothing was added, and errors says why" enum:"created,repeated,merged,deleted,rejected" example:"created"`
	Errors  []learn.FieldError `json:"errors" doc:"What is wrong with it; empty unless it was rejected"`
}

// cardResultsJSON answers what adds many cards.
type cardResultsJSON struct {
	Results []cardResultJSON `json:"results" doc:"One for each card, in their order"`
}

// cardRequest is what a client says of a new card.
type cardRequest struct {
	ID      optional[string]   `json:"id" doc:"Made by the client, so that adding is repeat-safe; 1 to 64 letters, digits, '-', '_' or '.'"`
	Kind    optional[string]   `json:"kind" doc:"produce by default" enum:"recognise,produce,speak,fix" example:"produce"`
	Front   string             `json:"front" required:"true" doc:"What is asked" maxLength:"500" example:"house"`
	Back    string             `json:"back" required:"true" doc:"The answer: what tells cards apart" maxLength:"500" example:"la casa"`
	Context optional[string]   `json:"context" doc:"A sentence around it, or an explanation" maxLength:"1000" example:"La casa es azul."`
	Tags    optional[[]string] `json:"tags" doc:"At most 12, without space in them"`
	Level   optional[string]   `json:"level" doc:"CEFR level of the word" enum:"A1,A2,B1,B2,C1,C2" example:"A1"`
}

// card returns what was asked for, and what is wrong with it.
func (in cardRequest) card(profileID string) (learn.Card, faults) {
	c := learn.Card{ID: in.ID.value, ProfileID: profileID, Kind: learn.CardProduce, Origin: learn.FromHand,
		Front: in.Front, Back: in.Back, Context: in.Context.value, Tags: in.Tags.value, Level: learn.Level(in.Level.value)}
	if in.Kind.set && !in.Kind.null {
		c.Kind = learn.CardKind(in.Kind.value)
	}
	c = c.Tidy()
	f := faults(c.Check())
	if in.ID.set && !in.ID.null && !saneID(c.ID) {
		f.add("id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	return c, f
}

// newCardRequest is the body of POST /vocabulary: a cardRequest and its profile.
type newCardRequest struct {
	ProfileID string             `json:"profile_id" required:"true" doc:"One of the caller's profiles" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	ID        optional[string]   `json:"id" doc:"Made by the client, so that adding is repeat-safe; 1 to 64 letters, digits, '-', '_' or '.'"`
	Kind      optional[string]   `json:"kind" doc:"produce by default" enum:"recognise,produce,speak,fix" example:"produce"`
	Front     string             `json:"front" required:"true" doc:"What is asked" maxLength:"500" example:"house"`
	Back      string             `json:"back" required:"true" doc:"The answer: what tells cards apart" maxLength:"500" example:"la casa"`
	Context   optional[string]   `json:"context" doc:"A sentence around it, or an explanation" maxLength:"1000" example:"La casa es azul."`
	Tags      optional[[]string] `json:"tags" doc:"At most 12, without space in them"`
	Level     optional[string]   `json:"level" doc:"CEFR level of the word" enum:"A1,A2,B1,B2,C1,C2" example:"A1"`
}

// cardsRequest is the body of POST /vocabulary/bulk.
type cardsRequest struct {
	ProfileID string              `json:"profile_id" required:"true" doc:"One of the caller's profiles" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Cards     []each[cardRequest] `json:"cards" required:"true" doc:"1 to 500" minItems:"1" maxItems:"500"`
}

// cardPatch is the body of PATCH /vocabulary/{id}: what is absent stays as it is.
type cardPatch struct {
	Front     optional[string]   `json:"front" doc:"What is asked" maxLength:"500" example:"the house"`
	Back      optional[string]   `json:"back" doc:"The answer" maxLength:"500" example:"la casa"`
	Context   optional[string]   `json:"context" doc:"A sentence around it, or an explanation" maxLength:"1000" example:"La casa es grande."`
	Tags      optional[[]string] `json:"tags" doc:"All of them: at most 12, without space in them"`
	Level     optional[string]   `json:"level" doc:"CEFR level of the word; null when it is not known" example:"A1"`
	Suspended optional[bool]     `json:"suspended" doc:"true: it is not asked any more" example:"false"`
}

// patch returns the change that is asked for of a card, or names every field at fault.
func (in cardPatch) patch(tenantID, userID, id string) (learn.CardPatch, error) {
	p := learn.CardPatch{TenantID: tenantID, UserID: userID, ID: id}
	// A card that is right, but for what is asked for.
	c := learn.Card{Kind: learn.CardProduce, Origin: learn.FromHand, Front: "x", Back: "x"}
	for _, t := range []struct {
		in    optional[string]
		field *string
		out   **string
	}{{in.Front, &c.Front, &p.Front}, {in.Back, &c.Back, &p.Back}, {in.Context, &c.Context, &p.Context}} {
		if t.in.set {
			*t.field = t.in.value
			*t.out = t.field
		}
	}
	if in.Tags.set {
		c.Tags = in.Tags.value
		p.Tags = &c.Tags
	}
	if in.Level.set {
		c.Level = learn.Level(in.Level.value)
	}
	var f faults
	if in.Level.set && !in.Level.null && in.Level.value == "" {
		f.add("level", "must be one of %s", words(levels()))
	}
	if in.Suspended.set {
		if in.Suspended.null {
			f.add("suspended", "must be true or false")
		}
		p.Suspended = &in.Suspended.value
	}
	c = c.Tidy()
	if in.Level.set {
		level := c.Level
		p.Level = &level
	}
	f = append(f, c.Check()...)
	return p, f.err("gateway.patchCard")
}

// sourceRequest is the body of POST /vocabulary/from-message.
type sourceRequest struct {
	MessageID    string           `json:"message_id" required:"true" example:"0197b0f3-2b3c-7d4e-8f5a-6b7c8d9e0f1a"`
	CorrectionID optional[string] `json:"correction_id" doc:"One of the message's corrections, for a card that asks for the right form; either this or text"`
	Text         optional[string] `json:"text" maxLength:"500" example:"fui al mercado"`
	Translation  optional[string] `json:"translation" maxLength:"500" example:"went to the market"`
	Kind         optional[string] `json:"kind" doc:"What the card asks for; by default what fits its source" enum:"recognise,produce,speak,fix" example:"produce"`
}
