package learn

import (
	"encoding/json"
	"fmt"
	"math"
)

// TurnHabits is what is remembered of how a learner takes turns in a language, from one
// conversation to the next. It holds numbers alone, nothing that was said. The zero value
// is somebody of whom nothing is known. Values are comparable.
type TurnHabits struct {
	// Turns counts the spoken turns that were observed, Pauses those of them with a
	// silence in which the tutor might have spoken, and CutOffs those in which it did.
	// They stop at [HabitsMost].
	Turns   int `json:"turns,omitempty"`
	Pauses  int `json:"pauses,omitempty"`
	CutOffs int `json:"cut_offs,omitempty"`
	// PatienceMS estimates the patience, in milliseconds, with which nineteen of twenty
	// turns are left whole; 0 while nothing was observed. Package turntaking keeps it.
	PatienceMS int `json:"patience_ms,omitempty"`
	// Drafts and Released count drafts that were begun, and those of them that were
	// spoken. Older ones count for less and less, so that they are no whole numbers.
	Drafts   float64 `json:"drafts,omitempty"`
	Released float64 `json:"released,omitempty"`
}

// HabitsMost is the most that a count of [TurnHabits] says.
const HabitsMost = 1_000_000

// habitsPatience is the most patience, in milliseconds, that can be remembered; bounds
// that depend on the level belong to package turntaking.
const habitsPatience = 4000

// Within returns h with every number within what it can be: counts from 0 to
// [HabitsMost], no more spoken drafts than drafts, no NaN.
func (h TurnHabits) Within() TurnHabits {
	h.Turns = min(max(h.Turns, 0), HabitsMost)
	h.Pauses = min(max(h.Pauses, 0), h.Turns)
	h.CutOffs = min(max(h.CutOffs, 0), h.Turns)
	h.PatienceMS = min(max(h.PatienceMS, 0), habitsPatience)
	h.Drafts = amountUpTo(h.Drafts, HabitsMost)
	h.Released = amountUpTo(h.Released, h.Drafts)
	return h
}

// amountUpTo is x between 0 and most; 0 when it is no number.
func amountUpTo(x, most float64) float64 {
	if math.IsNaN(x) {
		return 0
	}
	return min(max(x, 0), most)
}

// ParseTurnHabits reads what [TurnHabits.String] wrote; empty text is the zero value.
// Numbers that cannot be are brought within their bounds, unknown fields ignored. The
// error is for text that is no JSON object, and then the zero value is returned.
func ParseTurnHabits(text string) (TurnHabits, error) {
	if text == "" {
		return TurnHabits{}, nil
	}
	var h TurnHabits
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return TurnHabits{}, fmt.Errorf("learn: turn habits: %w", err)
	}
	return h.Within(), nil
}

// String is the compact JSON form, within bounds.
func (h TurnHabits) String() string {
	b, _ := json.Marshal(h.Within()) // numbers within bounds always encode
	return string(b)
}
