package pronounce_test

import (
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/session/learn/pronounce"
)

// A word is often misheard when it was hard to understand in two sittings; twice in one, or
// once badly and once well, may be chance.
func TestOftenMisheard(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 4, 10, minute, 0, 0, time.UTC) }
	word := func(value, sitting string, score float64, minute int) learn.Observation {
		return learn.Observation{Kind: learn.ProblemWord, Value: value, Language: "es", Sitting: sitting, Score: score, At: at(minute)}
	}
	sound := func(sitting string, score float64) learn.Observation {
		return learn.Observation{Kind: learn.ProblemSound, Value: "θ", Language: "en", Sitting: sitting, Score: score, At: at(9)}
	}
	got := pronounce.OftenMisheard([]learn.Observation{
		word("leche", "a", 40, 1), word("Leche", "b", 50, 3), word("leche", "b", 57, 2),
		word("con", "a", 10, 1), word("con", "a", 10, 2),
		word("perro", "a", 30, 1), word("perro", "b", 60, 2),
		{Kind: learn.ProblemWord, Value: "leche", Language: "it", Sitting: "c", Score: 1, At: at(5)},
		sound("a", 20), sound("b", 41),
	})
	const want = `[{"kind":"word","value":"Leche","language":"es","sittings":2,"evidence":3,"recognition":49,"accuracy":null,"basis":"asr_recognition","last_at":"2026-03-04T10:03:00Z"},` +
		`{"kind":"sound","value":"θ","language":"en","sittings":2,"evidence":2,"recognition":null,"accuracy":30.5,"basis":"acoustic_phoneme","last_at":"2026-03-04T10:09:00Z"}]`
	if dump(got) != want {
		t.Errorf("%s", dump(got))
	}
	if none := pronounce.OftenMisheard(nil); dump(none) != "[]" {
		t.Errorf("%s", dump(none))
	}
}

// Words are practised in sentences that the learner knows: short ones, each once, and alone
// when there is none.
func TestDrills(t *testing.T) {
	sources := []pronounce.Source{
		{Text: "¡Hola! ¿Quieres el café con leche o solo? Tengo leche.\nEl perro bebe leche fría", From: "tutor"},
		{Text: "Leche.", From: "tutor"},
		{Text: "El perro corre por el parque grande con los niños de la escuela y con la pelota roja de Ana", From: "exercise"},
		{Text: "La leche del perro", From: "exercise"},
	}
	got := pronounce.Drills("es", []string{"leche", "Café", "ferrocarril", "perro", "niños", "…"}, sources, 9)
	const want = `[{"text":"La leche del perro","language":"es","targets":["leche","perro"],"source":"exercise"},` +
		`{"text":"¿Quieres el café con leche o solo?","language":"es","targets":["Café"],"source":"tutor"},` +
		`{"text":"ferrocarril","language":"es","targets":["ferrocarril"],"source":"word"},` +
		`{"text":"niños","language":"es","targets":["niños"],"source":"word"}]`
	if dump(got) != want {
		t.Errorf("%s", dump(got))
	}
	if few := pronounce.Drills("es", []string{"leche", "ferrocarril"}, sources, 1); len(few) != 1 {
		t.Errorf("%s", dump(few))
	}
	ja := pronounce.Drills("ja", []string{"水"}, []pronounce.Source{{Text: "水をください。お茶は？", From: "tutor"}}, 3)
	if dump(ja) != `[{"text":"水をください。","language":"ja","targets":["水"],"source":"tutor"}]` {
		t.Errorf("%s", dump(ja))
	}
}
