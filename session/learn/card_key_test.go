package learn_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/session/learn"
)

func TestCardKey(t *testing.T) {
	for _, same := range [][]string{
		{"¡Hola!", "hola", " HOLA… ", "«hola»", "ho\u00adla", "hola\n"},
		{"él", "e\u0301l", "ÉL"},
		{"s'il vous plaît", "S'il  vous\tplaît."},
		{"Σοφός", "σοφόσ"},
		{"?!", " ?! "},
		{"食べる", "「食べる」"},
	} {
		for _, s := range same[1:] {
			if got, want := learn.CardKey(s), learn.CardKey(same[0]); got != want {
				t.Errorf("%q has the key %q, want that of %q, %q", s, got, same[0], want)
			}
		}
	}
	for _, other := range [][2]string{{"él", "el"}, {"ser", "estar"}, {"a b", "ab"}, {"l'eau", "leau"}, {"?", "!"},
		{strings.Repeat("x", 300), strings.Repeat("x", 301)}} {
		if learn.CardKey(other[0]) == learn.CardKey(other[1]) {
			t.Errorf("%.20q and %.20q have the same key", other[0], other[1])
		}
	}
	if key := learn.CardKey(" \u200b\n"); key != "" {
		t.Errorf("nothing has the key %q", key)
	}
}

func FuzzCardKey(f *testing.F) {
	for _, s := range []string{"¡Hola!", "e\u0301", "", "\xff", "\u0130", strings.Repeat("é", 150), "a\u0301\u00ad\u0301", "ẞ", "Å"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key := learn.CardKey(s)
		if len(key) > 200 || !utf8.ValidString(key) {
			t.Errorf("the key of %q is %q", s, key)
		}
		if again := learn.CardKey(key); again != key {
			t.Errorf("the key of %q is %q, and of that %q", s, key, again)
		}
		if (key == "") != (learn.Fold(s) == "") {
			t.Errorf("the key of %q is %q", s, key)
		}
	})
}

func TestCardCheck(t *testing.T) {
	right := learn.Card{Kind: learn.CardProduce, Origin: learn.FromHand, Front: "house", Back: "la casa", Level: learn.A1, Tags: []string{"home"}}
	if f := right.Check(); f != nil {
		t.Errorf("a right card has faults: %v", f)
	}
	for field, spoil := range map[string]func(*learn.Card){
		"front":   func(c *learn.Card) { c.Front = " " },
		"back":    func(c *learn.Card) { c.Back = strings.Repeat("é", learn.CardTextMost+1) },
		"context": func(c *learn.Card) { c.Context = "a\x00b" },
		"kind":    func(c *learn.Card) { c.Kind = "guess" },
		"origin":  func(c *learn.Card) { c.Origin = "" },
		"level":   func(c *learn.Card) { c.Level = "D1" },
		"tags":    func(c *learn.Card) { c.Tags = []string{"two words"} },
	} {
		c := right
		spoil(&c)
		if f := c.Check(); len(f) != 1 || f[0].Field != field {
			t.Errorf("spoiled %s: %v", field, f)
		}
	}
	tidy := learn.Card{Front: " a ", Level: "b2", Tags: []string{"z", "a ", "z"}}.Tidy()
	if tidy.Front != "a" || tidy.Level != learn.B2 || strings.Join(tidy.Tags, " ") != "a z" {
		t.Errorf("tidied to %+v", tidy)
	}
}
