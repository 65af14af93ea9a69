package session

import "testing"

func TestSpeakable(t *testing.T) {
	for text, want := range map[string]string{
		"**Hola** 😀 #1\n_sí_":          "Hola  1 sí",
		"Hace 20 °C, ¿no? 5 €":         "Hace 20 °C, ¿no? 5 €",
		"no \xff UTF-8, no\u200djoins": "no  UTF-8, nojoins",
	} {
		if got := speakable(text); got != want {
			t.Errorf("%q is spoken as %q, want %q", text, got, want)
		}
	}
}
