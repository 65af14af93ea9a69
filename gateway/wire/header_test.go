package wire

import (
	"bytes"
	"errors"
	"testing"

	"kalami/session"
)

func TestHeaderLayout(t *testing.T) {
	f := session.Frame{
		Flags: session.FlagDiscontinuity | session.FlagRetransmission, Stream: 0x0102, Seq: 0x03040506, Pos: 0x0708090a,
		Audio: []byte{0xaa, 0xbb},
	}
	for kind, first := range map[Kind]byte{Mic: 0x11, Tutor: 0x12} {
		data := append(AppendHeader(nil, kind, &f), f.Audio...)
		want := []byte{first, 0x05, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xaa, 0xbb}
		if !bytes.Equal(data, want) {
			t.Errorf("%v: % x, want % x", kind, data, want)
		}
		var got session.Frame
		if err := ParseHeader(data, kind, &got); err != nil {
			t.Fatal(err)
		}
		if got.Flags != f.Flags || got.Stream != f.Stream || got.Seq != f.Seq || got.Pos != f.Pos || !bytes.Equal(got.Audio, f.Audio) {
			t.Errorf("%v: %+v, want %+v", kind, got, f)
		}
	}
}

func TestHeaderRefusals(t *testing.T) {
	header := func(first, flags byte, payload int) []byte {
		return append([]byte{first, flags, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, make([]byte, payload)...)
	}
	for _, tt := range []struct {
		name  string
		data  []byte
		field string // "" when the frame is good
	}{
		{"empty", nil, "header"},
		{"one byte short", header(0x11, 0, 0)[:11], "header"},
		{"version 0", header(0x01, 0, 2), "version"},
		{"version 2", header(0x21, 0, 2), "version"},
		{"tutor's audio from a client", header(0x12, 0, 2), "kind"},
		{"kind 0", header(0x10, 0, 2), "kind"},
		{"no payload", header(0x11, 0, 0), "payload"},
		{"no payload, discontinuity", header(0x11, 1, 0), "payload"},
		{"no payload, end of stream", header(0x11, 2, 0), ""},
		{"no payload, silence", header(0x11, 8, 0), ""},
		{"unknown flags", header(0x11, 0xf0, 2), ""},
		{"odd payload", header(0x11, 0, 3), ""}, // the format decides, not the header
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := session.Frame{Seq: 7}
			f := before
			err := ParseHeader(tt.data, Mic, &f)
			wrong, _ := errors.AsType[*FrameError](err)
			switch {
			case tt.field == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.field != "" && wrong == nil:
				t.Errorf("error %v, want one that names %s", err, tt.field)
			case tt.field != "" && wrong.Field != tt.field:
				t.Errorf("names %s, want %s", wrong.Field, tt.field)
			case tt.field != "" && f.Seq != before.Seq:
				t.Error("changed the frame")
			}
		})
	}
}

func TestHeaderAllocatesNothing(t *testing.T) {
	f := session.Frame{Stream: 1, Audio: make([]byte, 640)}
	buf := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		data := append(AppendHeader(buf, Mic, &f), f.Audio...)
		var got session.Frame
		if err := ParseHeader(data, Mic, &got); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per frame, want 0", n)
	}
}

func FuzzHeader(f *testing.F) {
	f.Add([]byte{0x11, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2})
	f.Add([]byte{0x12, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Add([]byte{0x11})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []Kind{Mic, Tutor} {
			var frame session.Frame
			if ParseHeader(data, kind, &frame) != nil {
				continue
			}
			if again := append(AppendHeader(nil, kind, &frame), frame.Audio...); !bytes.Equal(again, data) {
				t.Errorf("% x was encoded again as % x", data, again)
			}
		}
	})
}

func BenchmarkHeader(b *testing.B) {
	f := session.Frame{Stream: 1, Audio: make([]byte, 640)}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		data := append(AppendHeader(buf, Mic, &f), f.Audio...)
		if err := ParseHeader(data, Mic, &f); err != nil {
			b.Fatal(err)
		}
	}
}
