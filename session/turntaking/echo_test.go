package turntaking

import (
	"strings"
	"testing"
)

// What is heard while the tutor speaks: what goes along, what comes back from the
// loudspeaker, what is the learner's own, and what asks for silence.
func TestOverhear(t *testing.T) {
	const es = "Hoy tenemos sopa de verduras, pollo asado y pescado. ¿Qué quiere comer?"
	const en = "Yesterday was a good day. Let's stop here for a moment and look at the verbs."
	const ja = "今日はスープと魚があります。何を食べますか？"
	for _, c := range []struct {
		heard, spoken string
		partial       bool
		want          Kind
	}{
		{"", es, false, NoWords},
		{"...", es, false, NoWords},
		// go on
		{"mhm", es, false, BackChannel}, {"Sí, claro.", es, false, BackChannel}, {"ah, por supuesto", es, false, BackChannel},
		{"oui", "", false, BackChannel}, {"D'accord.", "", false, BackChannel}, {"d’accord, je vois", "", false, BackChannel},
		{"ja", "", false, BackChannel}, {"ach so, alles klar", "", false, BackChannel}, {"Yeah, right.", "", false, BackChannel},
		{"I see, got it", "", false, BackChannel}, {"va bene", "", false, BackChannel}, {"tá bom", "", false, BackChannel},
		{"うんうんうん", ja, false, BackChannel}, {"はい、そうですね", ja, false, BackChannel}, {"네, 그렇군요", "", false, BackChannel},
		{"对对对对", "", false, BackChannel}, {"好的，明白", "", false, BackChannel}, {"да-да, понятно", "", false, BackChannel},
		{"نعم، طيب", "", false, BackChannel},
		// the tutor's own
		{"tenemos sopa de verduras", es, false, Echo},
		{"sopa verduras pollo", es, false, Echo},              // one was missed
		{"hoy tenem", es, true, Echo},                         // a word that is cut
		{"hoy tenem", es, false, Speech},                      // and one that is not
		{"hoy tenenos sopa de berduras", es, false, Echo},     // misspelled
		{"tenemos sopa te verduras pollo", es, false, Echo},   // one is garbled
		{"que quiere comer", es, false, Echo},                 // accents
		{"let's stop here for a moment", en, false, Echo},     // words for stop that the tutor says
		{"スープと魚", ja, false, Echo}, {"何を食べま", ja, true, Echo}, //
		// the learner's own
		{"espárragos", es, false, Speech}, {"mhm quiero carne", es, false, Speech},
		{"pollo asado quiero", es, false, Speech}, {"sopa por favor", es, false, Speech},
		{"quiero pollo", es, false, Speech},                  // an answer in the tutor's words
		{"quiero", es, false, Speech},                        //
		{"comer verduras hoy", es, false, Speech},            // in another order
		{"tenemos sopa no entiendo nada", es, false, Speech}, // over its echo
		{"魚をください", ja, false, Speech}, {"bueno pero", es, false, Speech},
		// be silent
		{"stop", es, false, Stop}, {"Wait!", "", false, Stop}, {"espera", es, true, Stop}, {"¡Espere!", es, false, Stop},
		{"attends", "", false, Stop}, {"Warte mal", "", false, Stop}, {"para", es, false, Stop}, {"no", es, false, Stop},
		{"para mi hermana", es, false, Speech}, {"ok wait", "", false, Stop}, {"tenemos sopa espera", es, false, Stop},
		{"aspetta", "", false, Stop}, {"um momento", "", false, Stop}, {"ちょっと待って", ja, false, Stop}, {"はい、待ってください", ja, false, Stop},
		{"잠깐만요", "", false, Stop}, {"等一下", "", false, Stop}, {"подождите", "", false, Stop}, {"Стой!", "", false, Stop},
		{"انتظر", "", false, Stop}, {"لحظة", "", false, Stop},
		{"shop", "this is the shop", false, Echo}, {"stop", "this is the shop", false, Stop},
	} {
		if got := Overhear(c.heard, c.spoken, !c.partial); got.Kind != c.want {
			t.Errorf("%q (partial: %v) while the tutor says %q: %+v, want kind %d", c.heard, c.partial, c.spoken, got, c.want)
		}
	}
}

// How many words are meant, and how many of them the tutor did not say.
func TestOverheardWords(t *testing.T) {
	const spoken = "Hoy tenemos sopa de verduras."
	for heard, want := range map[string]Overheard{
		"carne":                       {Kind: Speech, Words: 1, Foreign: 1},
		"sí, carne asada":             {Kind: Speech, Words: 2, Foreign: 2},
		"tenemos sopa carne asada":    {Kind: Speech, Words: 4, Foreign: 2},
		"魚をください":                      {Kind: Speech, Words: 2, Foreign: 2},
		"verduras sopa hoy":           {Kind: Speech, Words: 3, Foreign: 2},
		"mhm tenemos sopa de verdura": {Kind: Echo, Words: 4},
	} {
		if got := Overhear(heard, spoken, true); got != want {
			t.Errorf("%q: %+v, want %+v", heard, got, want)
		}
	}
}

// Every word for stop, in any of the languages, stops at the first word; and no
// back-channel does.
func TestListsDoNotContradict(t *testing.T) {
	for _, p := range stops {
		if got := Overhear(strings.Join(p, " "), "", false); got.Kind != Stop {
			t.Errorf("%q is %+v", p, got)
		}
	}
	for _, p := range backUnits {
		if got := Overhear(strings.Join(p, " "), "", true); got.Kind != BackChannel {
			t.Errorf("%q is %+v", p, got)
		}
	}
}

func FuzzOverhear(f *testing.F) {
	f.Add("mhm quiero carne", "Hoy tenemos sopa.", true)
	f.Add("うん、待って", "今日はスープ", false)
	f.Add("\xff’'", strings.Repeat("la ", 400), false)
	f.Fuzz(func(t *testing.T, heard, spoken string, final bool) {
		o := Overhear(heard, spoken, final)
		if o.Foreign > o.Words || o.Foreign < 0 || o.Words > heardMost {
			t.Errorf("%+v", o)
		}
		if o.Kind == NoWords != (len(fold(heard)) == 0) {
			t.Errorf("%q: %+v", heard, o)
		}
		if same := Overhear(spoken, spoken, true); len(fold(spoken)) > 0 && len(fold(spoken)) <= heardMost && same.Kind >= Speech {
			t.Errorf("the echo of %q is %+v", spoken, same)
		}
	})
}
