package wire

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"kalami/session"
)

// An event without fields, and an id that needs escaping, are still one object.
func TestAppendEventIsAlwaysOneObject(t *testing.T) {
	for _, ev := range []session.Event{noFields{}, session.NotUnderstood{ItemID: "\"\\\x00é"}} {
		out, err := AppendEvent([]byte("before"), session.Head{Seq: 1, EventID: "e\"1"}, ev)
		if err != nil {
			t.Fatal(err)
		}
		line, ok := strings.CutPrefix(string(out), "before")
		if !ok || !json.Valid([]byte(line)) || strings.ContainsAny(line, "\n") {
			t.Errorf("%T: %q", ev, line)
		}
	}
}

type noFields struct{}

func (noFields) EventType() string { return "nothing" }

// A failed event leaves what was there.
func TestAppendEventFailsCleanly(t *testing.T) {
	dst := []byte("before")
	for name, ev := range map[string]session.Event{
		"not a number": session.TranscriptDelta{Stability: math.NaN()},
		"too long":     session.CaptionDone{Transcript: strings.Repeat("x", MaxTextBytes)},
	} {
		got, err := AppendEvent(dst, session.Head{}, ev)
		if err == nil || string(got) != "before" {
			t.Errorf("%s: error %v and %d bytes", name, err, len(got))
		}
	}
}

// A very long turn still gets its transcript; only the times of its words are left out.
func TestLongTranscriptLosesItsWords(t *testing.T) {
	long := session.TranscriptCompleted{ItemID: "it_1", Transcript: "todo", Words: make([]session.HeardWord, 4000)}
	line, err := AppendEvent(nil, session.Head{Seq: 1}, long)
	if err != nil {
		t.Fatal(err)
	}
	if len(line) > MaxTextBytes {
		t.Errorf("%d bytes", len(line))
	}
	_, ev, err := DecodeEvent(line)
	if want := (session.TranscriptCompleted{ItemID: "it_1", Transcript: "todo"}); err != nil || !reflect.DeepEqual(ev, want) {
		t.Errorf("%+v, %v; want %+v", ev, err, want)
	}
}

func TestDecodeEventOfTomorrow(t *testing.T) {
	const line = `{"type":"tutor.card.tomorrow","seq":9,"event_id":"evt_9","ts":5,"card":{"id":"k1"}}`
	head, ev, err := DecodeEvent([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	raw, ok := ev.(RawEvent)
	if !ok || raw.EventType() != "tutor.card.tomorrow" || string(raw.Data) != line || head.Seq != 9 {
		t.Errorf("%+v %+v", head, ev)
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	for _, data := range []string{``, `{`, `[]`, `{}`, `{"type":5}`, `{"type":"ping","seq":-1}`, `{"type":"ping","rtt_ms":"soon"}`} {
		if _, ev, err := DecodeEvent([]byte(data)); err == nil {
			t.Errorf("%s was decoded as %+v", data, ev)
		}
	}
}

func FuzzEvent(f *testing.F) {
	for _, ev := range exampleEvents() {
		line, err := AppendEvent(nil, session.Head{Seq: 1, EventID: "evt_1"}, ev)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		head, ev, err := DecodeEvent(data)
		if err != nil {
			return
		}
		if _, raw := ev.(RawEvent); raw {
			return
		}
		line, err := AppendEvent(nil, head, ev)
		if err != nil {
			if len(data) < MaxTextBytes/8 {
				t.Fatalf("decoded but not encoded: %v", err)
			}
			return
		}
		head2, ev2, err := DecodeEvent(line)
		if err != nil {
			t.Fatalf("decode again: %v", err)
		}
		again, err := AppendEvent(nil, head2, ev2)
		if err != nil || string(again) != string(line) {
			t.Errorf("not stable: %v\n%s\n%s", err, line, again)
		}
	})
}

func BenchmarkAppendEvent(b *testing.B) {
	head := session.Head{Seq: 1234, EventID: "evt_1234", TS: 61234}
	for _, ev := range []session.Event{
		session.InputAck{Input: session.InputPos{Stream: 1, Seq: 75, NextSeq: 76}},
		session.CaptionDelta{ResponseID: "r_1", ItemID: "it_2", Delta: "¡Muy bien! ", AudioStartMS: 640},
		session.Created{Session: exampleConfig()},
	} {
		b.Run(ev.EventType(), func(b *testing.B) {
			buf := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if buf, err = AppendEvent(buf[:0], head, ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
