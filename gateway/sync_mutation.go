package gateway

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"kalami/session/learn"
)

// syncRequest is the body of POST /sync.
type syncRequest struct {
	DeviceID  string           `json:"device_id" required:"true" doc:"Made by the device, once" maxLength:"64" example:"phone-1"`
	Cursor    optional[int64]  `json:"cursor" doc:"The one of the last answer or of the bootstrap; null or left out: the device has nothing yet" example:"0"`
	ClientNow optional[string] `json:"client_now" doc:"What the device's clock says now, RFC 3339" example:"2026-03-04T05:16:37Z"`
	Mutations []syncMutation   `json:"mutations" doc:"In the order in which they were done"`
}

// syncMutation is one thing that was done on a device.
type syncMutation struct {
	ID       string       `json:"id" required:"true" doc:"UUID, made by the device" format:"uuid" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Type     string       `json:"type" required:"true" enum:"review.add,review.undo,card.add,card.edit,card.suspend,card.unsuspend,card.delete,card.restore,profile.edit" example:"review.add"`
	EntityID string       `json:"entity_id" required:"true" doc:"The card, review or profile; of what is added, the UUID that the device has given it" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d11"`
	At       string       `json:"at" required:"true" doc:"When it was done, by the device's clock, RFC 3339" example:"2026-03-04T05:10:00Z"`
	Card     *syncCard    `json:"card" doc:"Of card.add, and of card.edit the fields that were changed"`
	Review   *syncReview  `json:"review" doc:"Of review.add"`
	Profile  *syncProfile `json:"profile" doc:"Of profile.edit: the settings that were changed; null goes back to the level's default"`
}

type syncCard struct {
	ProfileID    *string   `json:"profile_id" doc:"Of card.add" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d12"`
	Kind         *string   `json:"kind" doc:"Of card.add; produce by default" enum:"recognise,produce,speak,fix" example:"produce"`
	Front        *string   `json:"front" doc:"What is asked" maxLength:"500" example:"good morning"`
	Back         *string   `json:"back" doc:"The answer" maxLength:"500" example:"buenos días"`
	Context      *string   `json:"context" doc:"The sentence around it" maxLength:"1000"`
	Tags         *[]string `json:"tags" doc:"In order"`
	Level        *string   `json:"level" doc:"A CEFR level, or empty" example:"A1"`
	Origin       *string   `json:"origin" doc:"Of card.add; manual by default" enum:"manual,import,correction,message,l1_word"`
	MessageID    *string   `json:"source_message_id" doc:"Of card.add: where it came from"`
	CorrectionID *string   `json:"source_correction_id" doc:"Of card.add"`
}

type syncReview struct {
	CardID     string          `json:"card_id" doc:"The card that was reviewed" required:"true" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d13"`
	Rating     int             `json:"rating" required:"true" doc:"1 again, 2 hard, 3 good, 4 easy" minimum:"1" maximum:"4" example:"3"`
	DurationMS int64           `json:"duration_ms" doc:"From the question to the rating" example:"3200"`
	Mode       string          `json:"mode" doc:"self by default" enum:"self,typed,spoken,in_conversation" example:"self"`
	Evidence   json.RawMessage `json:"evidence" doc:"An object about what the rating rests on"`
}

type syncProfile struct {
	CorrectionMode optional[string]  `json:"correction_mode" doc:"How the learner wants to be corrected; null for the default of the level" enum:"flow,balanced,strict,elicit,silent" example:"strict"`
	PatienceMS     optional[int]     `json:"patience_ms" doc:"Silence before the tutor speaks; null for the default of the level" minimum:"800" maximum:"4000" example:"1500"`
	SpeechRate     optional[float64] `json:"speech_rate" doc:"The tutor's pace; null for the default of the level" minimum:"0.5" maximum:"1.5" example:"0.8"`
	VoiceID        optional[string]  `json:"voice_id" maxLength:"64"`
	AutoCards      optional[bool]    `json:"auto_cards" doc:"Whether cards come by themselves; null for no" example:"false"`
}

// syncExample is what somebody may send first.
func syncExample() any {
	return map[string]any{"device_id": "phone-1", "cursor": 0, "client_now": "2026-03-04T05:16:37Z", "mutations": []any{}}
}

// readMutation reads one mutation. What is wrong with it stands in its Faults; its ID is
// empty when that is no UUID.
func readMutation(raw json.RawMessage) learn.Mutation {
	var in syncMutation
	var f faults
	f.unknown(raw, &in)
	err := json.Unmarshal(raw, &in)
	if err != nil {
		field, problem := "mutation", "must be an object"
		if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && te.Field != "" {
			field, problem = te.Field, "must be "+jsonName(te.Type)+", not "+article(te.Value)
		}
		f.add(field, "%s", problem)
	}
	var m learn.Mutation
	if id, err := uuid.Parse(in.ID); err == nil && len(in.ID) == 36 {
		m.ID = id.String()
	} else {
		f.add("id", "must be a UUID")
	}
	if saneID(in.EntityID) {
		m.EntityID = in.EntityID
	}
	if err != nil { // the rest was not read
		m.Faults = f
		return m
	}
	if m.EntityID == "" {
		f.add("entity_id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	m.At = f.time("at", in.At)
	m.Kind = learn.MutationKind(in.Type)
	f.content(&m, in, raw)
	m.Faults = f
	return m
}

// content reads what a mutation of its kind carries.
func (f *faults) content(m *learn.Mutation, in syncMutation, raw json.RawMessage) {
	var parts struct{ Card, Review, Profile json.RawMessage }
	_ = json.Unmarshal(raw, &parts) // what is wrong was said above
	switch m.Kind {
	case learn.MutateCardAdd:
		f.ownID(m.EntityID)
		if in.Card == nil {
			f.add("card", "is required")
			return
		}
		f.unknown(parts.Card, &syncCard{})
		m.Card = in.Card.card()
		for _, fault := range m.Card.Tidy().Check() {
			f.add("card."+fault.Field, "%s", fault.Message)
		}
		if !saneID(m.Card.ProfileID) {
			f.add("card.profile_id", "is required")
		}
	case learn.MutateCardEdit:
		if in.Card == nil {
			f.add("card", "is required")
			return
		}
		f.unknown(parts.Card, &syncCard{})
		m.Patch = in.Card.patch(f)
	case learn.MutateReviewAdd:
		f.ownID(m.EntityID)
		if in.Review == nil {
			f.add("review", "is required")
			return
		}
		f.unknown(parts.Review, &syncReview{})
		m.Review = in.Review.review(m.EntityID, f)
	case learn.MutateProfileEdit:
		if in.Profile == nil {
			f.add("profile", "is required")
			return
		}
		f.unknown(parts.Profile, &syncProfile{})
		m.Profile = in.Profile.patch(f)
	case learn.MutateReviewUndo, learn.MutateCardSuspend, learn.MutateCardUnsuspend, learn.MutateCardDelete, learn.MutateCardRestore:
	default:
		m.Kind = "" // whatever it was is not kept
		f.add("type", "is not known")
	}
}

// ownID checks the id that a device gives to what it adds.
func (f *faults) ownID(id string) {
	if uuid.Validate(id) != nil || len(id) != 36 {
		f.add("entity_id", "must be a UUID")
	}
}

func (in syncCard) card() learn.Card {
	c := learn.Card{ProfileID: orEmpty(in.ProfileID), Kind: learn.CardProduce, Origin: learn.FromHand,
		Front: orEmpty(in.Front), Back: orEmpty(in.Back), Context: orEmpty(in.Context), Level: learn.Level(orEmpty(in.Level)),
		Tags: orEmpty(in.Tags), MessageID: orEmpty(in.MessageID), CorrectionID: orEmpty(in.CorrectionID)}
	if in.Kind != nil {
		c.Kind = learn.CardKind(*in.Kind)
	}
	if in.Origin != nil {
		c.Origin = learn.CardOrigin(*in.Origin)
	}
	return c
}

// patch is the part that may be changed later; anything else is a fault.
func (in syncCard) patch(f *faults) learn.CardPatch {
	for _, field := range []struct {
		name string
		text *string
	}{{"profile_id", in.ProfileID}, {"kind", in.Kind}, {"origin", in.Origin}, {"source_message_id", in.MessageID}, {"source_correction_id", in.CorrectionID}} {
		if field.text != nil {
			f.add("card."+field.name, "is not a field that can be changed")
		}
	}
	p := learn.CardPatch{Front: in.Front, Back: in.Back, Context: in.Context, Tags: in.Tags}
	if in.Level != nil {
		p.Level = (*learn.Level)(in.Level)
	}
	return p
}

func (in syncReview) review(id string, f *faults) learn.Review {
	r := learn.Review{ID: id, CardID: in.CardID, Rating: learn.Rating(in.Rating), Mode: learn.ReviewSelf,
		Duration: time.Duration(min(max(in.DurationMS, -1), 1<<32)) * time.Millisecond, Evidence: in.Evidence}
	if in.Mode != "" {
		r.Mode = learn.ReviewMode(in.Mode)
	}
	if string(r.Evidence) == "null" {
		r.Evidence = nil
	}
	for _, fault := range r.Check() {
		if fault.Field != "id" {
			f.add("review."+fault.Field, "%s", fault.Message)
		}
	}
	if in.CardID != "" && !saneID(in.CardID) {
		f.add("review.card_id", "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	return r
}

func (in syncProfile) patch(f *faults) learn.ProfilePatch {
	var own faults
	var p learn.Profile
	profilePatch{CorrectionMode: in.CorrectionMode, PatienceMS: in.PatienceMS, SpeechRate: in.SpeechRate, VoiceID: in.VoiceID, AutoCards: in.AutoCards}.apply(&p, &own)
	for _, fault := range own {
		f.add("profile."+fault.Field, "%s", fault.Message)
	}
	var patch learn.ProfilePatch
	if in.CorrectionMode.set {
		patch.CorrectionMode = &p.CorrectionMode
	}
	if in.PatienceMS.set {
		patch.PatienceMS = &p.PatienceMS
	}
	if in.SpeechRate.set {
		patch.SpeechRate = &p.SpeechRate
	}
	if in.VoiceID.set {
		patch.VoiceID = &p.VoiceID
	}
	if in.AutoCards.set {
		patch.AutoCards = &p.AutoCards
	}
	return patch
}

// orEmpty is the value of a field that may be left out.
func orEmpty[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
