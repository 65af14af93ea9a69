package simulate

import (
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/providers"
)

// learner and tutor make lines of a conversation.
func learner(text string) providers.Line {
	return providers.Line{Role: providers.RoleLearner, Text: text}
}

func tutor(text string) providers.Line {
	return providers.Line{Role: providers.RoleTutor, Text: text}
}

func TestDialogue(t *testing.T) {
	s := New(Options{Engine: "none"})
	defer s.Close()
	en, es, fr, de := builtin["en"], builtin["es"], builtin["fr"], builtin["de"]
	spanish := "You teach Spanish (es) to a speaker of English (en)."
	cases := []struct {
		name   string
		system string
		said   []providers.Line
		want   string
	}{
		// Who begins.
		{"nobody has spoken", spanish, nil, es.Opener},
		{"a stage direction alone", spanish, []providers.Line{learner("(The conversation begins.)")}, es.Opener},
		{"a region", "Language: Deutsch (de-AT)", nil, de.Opener},
		{"no language named", "Be kind (always).", nil, en.Opener},
		{"silence after the tutor", spanish, []providers.Line{tutor(es.Opener), learner("(The learner is silent.)")}, es.Opener},
		{"silence after help", spanish, []providers.Line{tutor(es.Opener + "\n" + es.Opener), learner("(The learner is silent.)")}, es.Opener},

		// A reply that broke off.
		{"in the middle", "(en)", []providers.Line{learner("Where is it?"), tutor(en.Otherwise[:strings.LastIndex(en.Otherwise, " ")]), learner(providers.DirectionContinue)},
			en.Otherwise[strings.LastIndex(en.Otherwise, " ")+1:]},
		{"at its end", "(en)", []providers.Line{learner("Where is it?"), tutor(en.Otherwise), learner(providers.DirectionContinue + "\n\n<reminder>B1</reminder>")}, "."},
		{"another's", "(en)", []providers.Line{learner("Where is it?"), tutor("A stranger's words."), learner(providers.DirectionContinue)}, en.Otherwise},

		// What recognisers write.
		{"to the letter", spanish, []providers.Line{learner(es.Turns[0].Learner)}, es.Turns[0].Tutor},
		{"no accents, no punctuation", spanish, []providers.Line{learner("hola me gustaria reservar una mesa para dos personas")}, es.Turns[0].Tutor},
		{"hesitant", spanish, []providers.Line{learner("ayer… eh… yo fui al mercado con mi hermana")}, es.Turns[2].Tutor},
		{"repeating oneself", "(en)", []providers.Line{learner("I would, um, I would like to to book a table for, uh, two people")}, en.Turns[0].Tutor},
		{"numbers as digits", "(en)", []providers.Line{learner("I would like to book a table for 2 people at 8 o'clock.")}, en.Turns[0].Tutor},
		{"a third misheard", "(fr)", []providers.Line{learner("Hier je suis allée la page avec mes amies")}, fr.Turns[1].Tutor},
		{"only the beginning", "(de)", []providers.Line{learner("Guten Tag, ich möchte ein Zimmer")}, de.Turns[0].Tutor},
		{"another language than the prompt's", spanish, []providers.Line{learner(de.Turns[2].Learner)}, de.Turns[2].Tutor},
		{"a later line", "(en)", []providers.Line{learner(en.Turns[0].Learner), tutor(en.Turns[0].Tutor), learner("no thank you only the bill please")}, en.Turns[4].Tutor},

		// What is nobody's words.
		{"a reminder", spanish, []providers.Line{learner("qué\n<reminder>\n" + es.Turns[0].Learner + "\n</reminder>")}, es.Otherwise},
		{"an open reminder", spanish, []providers.Line{learner("<reminder>" + es.Turns[0].Learner)}, es.Opener},
		{"an interrupted line before", "(en)", []providers.Line{learner("Well, my grandmother was a sailor.\n" + en.Turns[3].Learner)}, en.Turns[3].Tutor},

		// Asking again.
		{"in the script", "(en)", []providers.Line{tutor(en.Turns[1].Tutor), learner("Wait, stop, can you say that again more slowly please?")}, en.Turns[2].Tutor},
		{"slower", spanish, []providers.Line{tutor(es.Turns[1].Tutor), learner("¿Puede hablar más despacio?")}, es.Turns[1].Tutor},
		{"after an interruption", spanish, []providers.Line{tutor("Vaya, está usted muy"), learner("Otra vez, por favor")}, es.Turns[1].Tutor},
		{"what no script says", "(de)", []providers.Line{tutor("Ganz etwas anderes."), learner("Wie bitte?")}, "Ganz etwas anderes."},
		{"before anything was said", "(fr)", []providers.Line{learner("Pouvez-vous répéter ?")}, fr.Opener},
		{"again in a story", "(en)", []providers.Line{tutor(en.Opener), learner("We went to the mountains again with our old dog.")}, en.Otherwise},

		// Everything else.
		{"something else", "(en)", []providers.Line{learner("yesterday i went um to the market with my sister")}, en.Otherwise},
		{"a chance likeness", "(en)", []providers.Line{learner("please")}, en.Otherwise},
		{"no words at all", "(en)", []providers.Line{learner("?!")}, en.Otherwise},
		{"another subject", spanish, []providers.Line{learner("quiero aprender español rápidamente")}, es.Otherwise},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := s.answer(chat{c.system, c.said}); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestDialogueKnowsEveryLine makes sure that no two lines of the scripts are so
// alike that one gets the other's answer.
func TestDialogueKnowsEveryLine(t *testing.T) {
	s := New(Options{Engine: "none"})
	defer s.Close()
	for lang, script := range builtin {
		for _, turn := range script.Turns {
			for _, system := range []string{"(" + lang + ")", ""} {
				if got := s.answer(chat{system, []providers.Line{learner(strings.ToLower(turn.Learner))}}); got != turn.Tutor {
					t.Errorf("%q, system %q: %q, want %q", turn.Learner, system, got, turn.Tutor)
				}
			}
		}
	}
}

func TestDialogueWithoutScripts(t *testing.T) {
	s := New(Options{Engine: "none", Scripts: map[string]Script{}})
	defer s.Close()
	if got := s.answer(chat{"(en)", []providers.Line{learner("Hello")}}); got != "" {
		t.Errorf("got %q", got)
	}
}

func FuzzDialogue(f *testing.F) {
	f.Add("Spanish (es)", "hola me gustaría", "¿Qué tal?")
	f.Add("((((", "<reminder>x</reminder><reminder>", ")")
	f.Add("(de-", "again\xff", "(")
	s := New(Options{Engine: "none"})
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, system, said, before string) {
		c := chat{system, []providers.Line{tutor(before), learner(said)}}
		first := s.answer(c)
		if first == "" {
			t.Error("nothing to say")
		}
		if again := s.answer(c); again != first {
			t.Errorf("%q, then %q: not deterministic", first, again)
		}
	})
}

func FuzzTokens(f *testing.F) {
	f.Add("¿Qué le gustaría comer? Rindfleischetikettierungsgesetz")
	f.Add("  \xff\xfe    x")
	f.Fuzz(func(t *testing.T, line string) {
		pieces := tokensOf(line)
		if got := strings.Join(pieces, ""); got != line {
			t.Errorf("pieces make %q, want %q", got, line)
		}
		for _, p := range pieces {
			if p == "" || utf8.ValidString(line) && !utf8.ValidString(p) {
				t.Errorf("piece %q", p)
			}
		}
	})
}
