package providertest

import (
	"strings"
	"testing"

	"kalami/providers"
)

// checkOrder asserts what every stream of events promises: segments count from 0
// and follow each other; each begins with a start and ends with an end; an eager
// end has words and is followed by a resumption or the end; words have rising
// times inside the segment and make up its text.
func checkOrder(t *testing.T, events []providers.Heard) {
	t.Helper()
	segment, open, eager := 0, false, ""
	reached := 0
	for i, h := range events {
		if h.Segment != segment {
			t.Errorf("event %d (%v): segment %d, want %d", i, h.Kind, h.Segment, segment)
		}
		if (h.Kind == providers.HeardStart) == open {
			t.Errorf("event %d: %v while the segment is open: %v", i, h.Kind, open)
		}
		open = h.Kind != providers.HeardEnd
		switch h.Kind {
		case providers.HeardStart, providers.HeardUpdate:
			if eager != "" {
				t.Errorf("event %d: %v follows an eager end", i, h.Kind)
			}
		case providers.HeardEagerEnd:
			if eager = h.Text; eager == "" {
				t.Errorf("event %d: an eager end without words", i)
			}
		case providers.HeardResumed:
			if eager == "" {
				t.Errorf("event %d: resumed without an eager end", i)
			}
			eager = ""
		case providers.HeardEnd:
			if eager != "" && eager != h.Text {
				t.Errorf("event %d: the end says other words than the eager end", i)
			}
			eager = ""
			segment++
			if h.StartMS < reached {
				t.Errorf("event %d: the segment begins at %d ms, before the last one's end at %d", i, h.StartMS, reached)
			}
			reached = h.EndMS
		}
		checkWords(t, i, h)
	}
	if open {
		t.Error("the last segment was not ended")
	}
}

func checkWords(t *testing.T, i int, h providers.Heard) {
	t.Helper()
	if h.EndMS < h.StartMS {
		t.Errorf("event %d (%v): ends at %d ms, before its start at %d", i, h.Kind, h.EndMS, h.StartMS)
	}
	at := 0
	var texts []string
	for _, w := range h.Words {
		if w.StartMS < at || w.EndMS < w.StartMS || w.EndMS > h.EndMS {
			t.Errorf("event %d (%v): word at %d to %d ms, after %d, in a segment to %d", i, h.Kind, w.StartMS, w.EndMS, at, h.EndMS)
		}
		at = w.EndMS
		texts = append(texts, w.Text)
	}
	if got := strings.Join(texts, " "); len(texts) > 0 && plain(got) != plain(h.Text) {
		t.Errorf("event %d (%v): words %q, text %q", i, h.Kind, got, h.Text)
	}
}
