package elevenlabs

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"kalami/providers"
)

func TestParseMessageSpellings(t *testing.T) {
	hola := []providers.CharMark{{Char: "H", StartMS: 0, EndMS: 80}, {Char: "é", StartMS: 80, EndMS: 200}, {Char: `"`, StartMS: 200, EndMS: 230}}
	tests := []struct {
		name, in       string
		audio, context string
		final          bool
		marks          []providers.CharMark
		letters        int
	}{
		{
			"socket, camel case", `{"audio":"AAEC","isFinal":null,"normalizedAlignment":null,
			"alignment":{"chars":["H","é","\""],"charStartTimesMs":[0,80,200],"charDurationsMs":[80,120,30]},"contextId":"r1"}`,
			"AAEC", "r1", false, hola, 2,
		},
		{
			"socket, snake case and the other durations", `{"context_id":"r1","is_final":false,"audio":"AAEC",
			"alignment":{"charStartTimesMs":[0,80,200],"charsDurationsMs":[80,120,30],"chars":["H","\u00e9","\""]}}`,
			"AAEC", "r1", false, hola, 2,
		},
		{
			"HTTP, seconds", `{"audio_base64":"AAEC","alignment":{"characters":["H","é","\""],
			"character_start_times_seconds":[0,0.08,0.2],"character_end_times_seconds":[0.08,0.2,0.23]},"normalized_alignment":null}`,
			"AAEC", "", false, hola, 2,
		},
		{"final", `{"audio":null,"isFinal":true,"contextId":"r2"}`, "", "r2", true, nil, 0},
		{"final, snake case", ` { "is_final" : true , "context_id" : "r2" } `, "", "r2", true, nil, 0},
		{"flush done", `{"type":"flush_done","context_id":"r1","status_code":206,"done":false,"data":"","flush_done":true}`, "", "r1", false, nil, 0},
		{"unknown, nested", `{"type":"news","list":[{"audio":"QUJD"},[1,"]}"]],"isFinal":"true"}`, "", "", false, nil, 0},
		{"escaped audio", `{"audio":"AA\/\/"}`, "AA//", "", false, nil, 0},
		{"lists of different lengths", `{"alignment":{"chars":["H","é"],"charStartTimesMs":[0],"charDurationsMs":[80,120]}}`, "", "", false, hola[:1], 1},
		{"an alignment that is none", `{"alignment":{"chars":"H","charStartTimesMs":0}}`, "", "", false, nil, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var m message
			if err := parseMessage([]byte(tc.in), &m); err != nil {
				t.Fatal(err)
			}
			marks, letters := m.align.marks()
			if string(m.audio) != tc.audio || string(m.context) != tc.context || m.final != tc.final || letters != tc.letters || !slices.Equal(marks, tc.marks) {
				t.Errorf("audio %q, context %q, final %v, marks %v, letters %d", m.audio, m.context, m.final, marks, letters)
			}
		})
	}
}

func TestParseMessageRefusesGarbage(t *testing.T) {
	for _, in := range []string{"", "null", "[]", `"x"`, "{", `{"audio"`, `{"audio":`, `{"audio":"AA`, `{"a":1,}x`, `}{`, `{"a":1} {}`, `{"a":[1,2}`, `{a:1}`, "<html>"} {
		var m message
		if err := parseMessage([]byte(in), &m); err == nil {
			t.Errorf("%q is taken for a message", in)
		}
	}
}

// An odd byte at the end of one message is the first half of the next one's first
// sample, and marks count the samples that were delivered.
func TestClockCarriesHalfSamples(t *testing.T) {
	c := clock{rate: 1000}
	pcm := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	var got []byte
	var starts []int
	for _, part := range [][]byte{pcm[:3], pcm[3:4], pcm[4:7], pcm[7:]} {
		al := alignment{chars: []byte(`["a"]`), starts: []byte(`[1]`), lengths: []byte(`[1]`), scale: 1}
		out, _, err := c.chunk([]byte(base64.StdEncoding.EncodeToString(part)), &al)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.PCM)%2 != 0 {
			t.Fatalf("%d bytes", len(out.PCM))
		}
		got = append(got, out.PCM...)
		starts = append(starts, out.Marks[0].StartMS)
	}
	if !bytes.Equal(got, pcm) || !slices.Equal(starts, []int{1, 2, 3, 4}) {
		t.Errorf("bytes %v, marks at %v", got, starts)
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	c := clock{rate: 1000}
	marks := []providers.CharMark{{StartMS: 50, EndMS: 60}, {StartMS: 20, EndMS: 10}, {StartMS: 70, EndMS: 80}}
	c.place(marks, 100)
	want := []providers.CharMark{{StartMS: 150, EndMS: 160}, {StartMS: 150, EndMS: 150}, {StartMS: 170, EndMS: 180}}
	if !slices.Equal(marks, want) {
		t.Errorf("%v, want %v", marks, want)
	}
}

// FuzzParseMessage holds the scan against encoding/json: whatever that takes for
// an object, the scan takes too, and finds the same fields.
func FuzzParseMessage(f *testing.F) {
	for _, s := range []string{
		`{"audio":"AAEC","isFinal":null,"alignment":{"chars":["H"],"charStartTimesMs":[0],"charDurationsMs":[80]},"contextId":"r1"}`,
		`{"audio_base64":"","alignment":{"characters":["\\","\ud83d\ude00"],"character_start_times_seconds":[1e-3,2.5],"character_end_times_seconds":[1,3]}}`,
		`{"message":"no","error":"quota_exceeded","code":1008}`, `{"is_final":true,"context_id":"\u0061"}`, `{}`, `[`, `{"a":"\\\""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		err := parseMessage(b, &m)
		for _, al := range []*alignment{&m.align, &m.normal} {
			marks, _ := al.marks()
			var c clock
			c.rate = 16000
			if _, _, err := c.chunk(m.audio, al); err == nil {
				c.place(marks, 5)
			}
		}
		var fields map[string]json.RawMessage
		if !utf8.Valid(b) || json.Unmarshal(b, &fields) != nil || fields == nil {
			return
		}
		if err != nil {
			t.Fatalf("refused %q", b)
		}
		if bytes.Contains(b, []byte(`\u`)) || duplicate(b) {
			return // names with escapes, and which of two counts, are not compared
		}
		for name, got := range map[string][]byte{"error": m.code, "message": m.text} {
			var want string
			_ = json.Unmarshal(fields[name], &want)
			if string(got) != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

// duplicate says whether an object has a name twice at its top.
func duplicate(b []byte) bool {
	s, seen := scan{b: b}, map[string]bool{}
	s.take('{')
	for first := true; s.more('}', &first); {
		name, _ := s.member()
		if seen[string(name)] {
			return true
		}
		seen[string(name)] = true
	}
	return false
}

// tenthOfASecond is a message as it arrives ten times a second: 100 ms at 24 kHz.
func tenthOfASecond() []byte {
	chars := `["t","w","o"," ","p","e","o","p","l","e"]`
	al := fmt.Sprintf(`{"chars":%s,"charStartTimesMs":[0,10,20,30,40,50,60,70,80,90],"charDurationsMs":[10,10,10,10,10,10,10,10,10,10]}`, chars)
	audio := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x12\x34", 2400)))
	return fmt.Appendf(nil, `{"audio":"%s","isFinal":null,"normalizedAlignment":%s,"alignment":%s,"contextId":"r1"}`, audio, al, al)
}

func BenchmarkMessage(b *testing.B) {
	in := tenthOfASecond()
	b.Run("scan", func(b *testing.B) {
		b.ReportAllocs()
		c := clock{rate: 24000}
		var m message
		for b.Loop() {
			if parseMessage(in, &m) != nil {
				b.Fatal("not parsed")
			}
			if out, letters, err := c.chunk(m.audio, &m.align); err != nil || len(out.PCM) != 4800 || letters != 9 {
				b.Fatal("not decoded")
			}
		}
	})
	b.Run("encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		type alignment struct {
			Chars              []string
			CharStartTimesMs   []int
			CharDurationsMs    []int
			CharacterDurations []int
		}
		for b.Loop() {
			var m struct {
				Audio               []byte
				IsFinal             *bool
				ContextID           string `json:"contextId"`
				Alignment           *alignment
				NormalizedAlignment *alignment
			}
			if err := json.Unmarshal(in, &m); err != nil || len(m.Audio) != 4800 {
				b.Fatal(err)
			}
		}
	})
}
