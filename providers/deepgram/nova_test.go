package deepgram

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kalami/providers"
)

// result makes a Results message. flags are of "final", "speech_final", "finalize".
func result(transcript string, start, end float64, flags ...string) string {
	words := []string{}
	at := start
	for _, w := range strings.Fields(transcript) {
		words = append(words, fmt.Sprintf(`{"word":%q,"start":%g,"end":%g,"confidence":0.8}`, w, at, at+0.2))
		at += 0.2
	}
	return fmt.Sprintf(`{"type":"Results","start":%g,"duration":%g,"is_final":%v,"speech_final":%v,"from_finalize":%v,`+
		`"channel":{"alternatives":[{"transcript":%q,"confidence":0.8,"words":[%s]}]}}`,
		start, end-start, slices.Contains(flags, "final"), slices.Contains(flags, "speech_final"), slices.Contains(flags, "finalize"),
		transcript, strings.Join(words, ","))
}

func started(at float64) string {
	return fmt.Sprintf(`{"type":"SpeechStarted","channel":[0,1],"timestamp":%g}`, at)
}

// told writes events the way the tables below do: "update 0 hola (2)" is kind,
// segment, text and how many words.
func told(h providers.Heard) string {
	s := fmt.Sprintf("%v %d", h.Kind, h.Segment)
	if h.Text != "" {
		s += " " + h.Text
	}
	if len(h.Words) > 0 {
		s += fmt.Sprintf(" (%d)", len(h.Words))
	}
	return s
}

func TestNovaSegments(t *testing.T) {
	for _, test := range []struct {
		name string
		msgs []string
		want []string
	}{
		{
			name: "an interim replaces the one before, speech_final ends",
			msgs: []string{
				started(0.1), result("hola", 0, 0.5), result("ola me", 0, 1), result("hola me gusta", 0, 1.5, "final", "speech_final"),
			},
			want: []string{"start 0", "update 0 hola (1)", "update 0 ola me (2)", "end 0 hola me gusta (3)"},
		},
		{
			name: "finals add up until speech_final",
			msgs: []string{
				started(0.1), result("uno dos", 0, 2, "final"), result("tres", 2, 3), result("tres cuatro", 2, 4, "final"),
				result("cinco", 4, 5, "final", "speech_final"),
			},
			want: []string{"start 0", "update 0 uno dos (2)", "update 0 uno dos tres (3)", "update 0 uno dos tres cuatro (4)", "end 0 uno dos tres cuatro cinco (5)"},
		},
		{
			name: "every pause of a hesitant sentence is a segment",
			msgs: []string{
				started(0), result("yesterday", 0, 1, "final", "speech_final"), started(2),
				result("i went", 2, 3, "final", "speech_final"),
			},
			want: []string{"start 0", "end 0 yesterday (1)", "start 1", "end 1 i went (2)"},
		},
		{
			name: "UtteranceEnd after speech_final means nothing",
			msgs: []string{started(0), result("hola", 0, 1, "final", "speech_final"), msgUttEnd, started(3), result("si", 3, 4, "final", "speech_final")},
			want: []string{"start 0", "end 0 hola (1)", "start 1", "end 1 si (1)"},
		},
		{
			name: "UtteranceEnd ends what noise kept open",
			msgs: []string{started(0), result("hola", 0, 1, "final"), result("", 1, 2), msgUttEnd, result("", 1, 3, "final", "speech_final")},
			want: []string{"start 0", "update 0 hola (1)", "end 0 hola (1)"},
		},
		{
			name: "UtteranceEnd waits for the window that is open",
			msgs: []string{started(0), result("hola", 0, 1), msgUttEnd, result("hola", 0, 3, "final"), result("que", 3, 4)},
			want: []string{"start 0", "update 0 hola (1)", "end 0 hola (1)", "start 1", "update 1 que (1)", "end 1 que (1)"},
		},
		{
			name: "the answer to Finalize ends, the pause after it means nothing",
			msgs: []string{started(0), result("hola", 0, 1), result("hola", 0, 1, "final", "finalize"), result("", 1, 2, "final", "speech_final"), msgUttEnd},
			want: []string{"start 0", "update 0 hola (1)", "end 0 hola (1)"},
		},
		{
			name: "silence is no segment",
			msgs: []string{result("", 0, 1), result("", 0, 2), result("", 0, 3, "final", "speech_final"), result("", 3, 3, "final", "finalize"), msgUttEnd},
		},
		{
			name: "noise that was taken for speech ends without words",
			msgs: []string{started(1), result("", 0, 2), result("", 0, 3, "final", "speech_final")},
			want: []string{"start 0", "end 0"},
		},
		{
			name: "words without SpeechStarted open a segment",
			msgs: []string{result("hola", 0.5, 1)},
			want: []string{"start 0", "update 0 hola (1)", "end 0 hola (1)"},
		},
		{
			name: "SpeechStarted within a segment means nothing",
			msgs: []string{started(0), result("a", 0, 1, "final"), started(1.5), result("b", 1, 2, "final", "speech_final")},
			want: []string{"start 0", "update 0 a (1)", "end 0 a b (2)"},
		},
		{
			name: "an empty interim takes nothing back",
			msgs: []string{started(0), result("a", 0, 1, "final"), result("", 1, 2), result("", 1, 3, "final", "speech_final")},
			want: []string{"start 0", "update 0 a (1)", "end 0 a (1)"},
		},
		{
			name: "what is open ends with the stream",
			msgs: []string{started(0), result("a b", 0, 1, "final"), result("c", 1, 2)},
			want: []string{"start 0", "update 0 a b (2)", "update 0 a b c (3)", "end 0 a b c (3)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var turns novaTurns
			var got []string
			emit := func(h providers.Heard) { got = append(got, told(h)) }
			for _, m := range append(test.msgs, msgMetadata) {
				if _, err := turns.receive([]byte(m), emit); err != nil {
					t.Fatal(err)
				}
			}
			turns.finish(emit)
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestNovaTimesAndConfidence(t *testing.T) {
	var turns novaTurns
	var got []providers.Heard
	emit := func(h providers.Heard) { got = append(got, h) }
	for _, m := range []string{started(1.2), result("a b c", 1.3, 3, "final"), result("d", 3.1, 4, "final", "speech_final")} {
		if _, err := turns.receive([]byte(m), emit); err != nil {
			t.Fatal(err)
		}
	}
	end := got[len(got)-1]
	if end.StartMS != 1200 || end.EndMS != 3300 {
		t.Errorf("segment from %d to %d ms, want 1200 to 3300: from SpeechStarted to the last word", end.StartMS, end.EndMS)
	}
	if end.Confidence < 0.79 || end.Confidence > 0.81 {
		t.Errorf("confidence %v, want the finals' 0.8", end.Confidence)
	}
	if w := end.Words[3]; w.StartMS != 3100 || w.EndMS != 3300 {
		t.Errorf("last word at %d to %d ms, want 3100 to 3300", w.StartMS, w.EndMS)
	}
}

// Consumers keep events; later messages must not change them.
func TestNovaEventsAreNotChangedLater(t *testing.T) {
	var turns novaTurns
	var got []providers.Heard
	var then [][]providers.Word
	emit := func(h providers.Heard) { got, then = append(got, h), append(then, slices.Clone(h.Words)) }
	for i := range 6 {
		for _, m := range []string{result("x y", float64(i), float64(i)+1), result("x y z", float64(i), float64(i)+1, "final")} {
			if _, err := turns.receive([]byte(m), emit); err != nil {
				t.Fatal(err)
			}
		}
	}
	turns.finish(emit)
	for i := range got {
		if !slices.Equal(got[i].Words, then[i]) {
			t.Errorf("event %d changed after it was emitted", i)
		}
	}
}

func TestVendorErrorMessages(t *testing.T) {
	var nova novaTurns
	_, err := nova.receive([]byte(`{"type":"Error","variant":"BROKEN","description":"what the learner said"}`), nil)
	if providers.KindOf(err) != providers.Unavailable || !strings.Contains(err.Error(), "BROKEN") || strings.Contains(err.Error(), "learner") {
		t.Errorf("nova: %v", err)
	}
	var flux fluxTurns
	if _, err := flux.receive([]byte(msgFluxError), nil); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("flux: %v", err)
	}
	if _, err := flux.receive([]byte(`{"type":"Error","code":"UNPARSABLE_CLIENT_MESSAGE"}`), nil); providers.KindOf(err) != providers.Invalid {
		t.Errorf("flux: %v, want invalid: our message was not understood", err)
	}
}
