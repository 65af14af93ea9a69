package learn

import (
	"math"
	"testing"
)

func TestTurnHabits(t *testing.T) {
	h := TurnHabits{Turns: 40, Pauses: 7, CutOffs: 1, PatienceMS: 2310, Drafts: 12.5, Released: 9.25}
	const text = `{"turns":40,"pauses":7,"cut_offs":1,"patience_ms":2310,"drafts":12.5,"released":9.25}`
	if h.String() != text {
		t.Errorf("written as %s", h)
	}
	if got, err := ParseTurnHabits(text); err != nil || got != h {
		t.Errorf("read back %+v, %v", got, err)
	}
	for _, empty := range []string{"", "{}", `{"later":[1]}`} {
		if got, err := ParseTurnHabits(empty); err != nil || got != (TurnHabits{}) {
			t.Errorf("%q reads as %+v, %v", empty, got, err)
		}
	}
	for _, bad := range []string{"no", "[]", `{"turns":"many"}`, `{"turns":1e99}`} {
		if got, err := ParseTurnHabits(bad); err == nil || got != (TurnHabits{}) {
			t.Errorf("%q reads as %+v, %v", bad, got, err)
		}
	}
	wild := TurnHabits{Turns: -1, Pauses: 3, CutOffs: 3, PatienceMS: 99_999, Drafts: math.NaN(), Released: math.Inf(1)}
	if got := wild.Within(); got != (TurnHabits{PatienceMS: 4000}) {
		t.Errorf("brought within bounds: %+v", got)
	}
}

// Whatever the column holds, habits are within bounds and survive being kept.
func FuzzParseTurnHabits(f *testing.F) {
	f.Add(`{"turns":40,"pauses":7,"patience_ms":2310,"drafts":12.5,"released":9.25}`)
	f.Add(`{"turns":-5,"released":1e308}`)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseTurnHabits(text)
		if err != nil {
			return
		}
		if h != h.Within() || h.Pauses > h.Turns || h.Released > h.Drafts || h.PatienceMS > 4000 {
			t.Errorf("%q reads as %+v", text, h)
		}
		if again, err := ParseTurnHabits(h.String()); err != nil || again != h {
			t.Errorf("%+v is kept as %+v, %v", h, again, err)
		}
	})
}
