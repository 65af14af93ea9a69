package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// examples returns one fact of each kind, with every field set.
func examples() []Fact {
	text := TextOf("Yo fui a la playa.")
	return []Fact{
		Connected{How: "resumed", Session: "vs_1", Tenant: "t1", Seq: 15, LastSeq: 15, Warm: true, Stream: 1, Next: 398,
			Response: "r_1", Action: "respeak", Repeat: true},
		EventReceived{Seq: 16, Type: "conversation.item.done", Item: "it_1", Response: "r_1"},
		Acknowledged{Item: "it_1", Text: text},
		Said{Stream: 1, From: 380, Next: 410, Text: text},
		MicSent{Stream: 1, From: 398, Next: 412, Again: true},
		MicAcked{Stream: 1, Seq: 397},
		AudioReceived{Stream: 2, From: 0, Next: 12, Last: true},
		SentenceHeard{Response: "r_1", Item: "it_2", Mark: "s1", Text: text, Again: true},
		PlaybackOver{Response: "r_1", Item: "it_2", PlayedMS: 1840.5, Cut: true, Text: text},
		CanarySeen{Of: "t2"},
		Closed{Code: 4409, ByClient: true},
		NodeStarted{},
		TookOver{Epoch: 2, Session: "vs_1"},
		Committed{Epoch: 2, Utterance: "it_1", Seq: 7, Speaker: "user", TookUS: 412, Text: text, Heard: text},
		WriteRefused{Epoch: 1, Utterance: "it_1", Fenced: true},
		ConversationEnded{Epoch: 2, Reason: "normal"},
		SessionEnded{Epoch: 1, Session: "vs_1", Reason: "superseded"},
		MicTaken{Stream: 1, From: 0, Next: 50},
		Analysed{Message: "m_1"},
		VendorCalled{Part: "llm", Vendor: "anthropic", Why: WhyHedge},
		Counted{When: WhenQuiet, Sessions: 1, Caps: 2, Keys: 3, Goroutines: 4, Files: 5},
	}
}

// What is written is read back, by several goroutines at once and in the order of each.
func TestHistoryIsReadBack(t *testing.T) {
	var file bytes.Buffer
	w := NewWriter(&file, "node-1")
	var group sync.WaitGroup
	for _, conversation := range []string{"c1", "c2", ""} {
		group.Go(func() {
			for _, f := range examples() {
				w.Record(conversation, f)
			}
		})
	}
	group.Wait()
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	got, last := map[string][]Fact{}, time.Time{}
	torn, err := Read(&file, func(r Record) error {
		if r.By != "node-1" || r.At.Before(last) {
			t.Errorf("%+v after %v", r, last)
		}
		last = r.At
		got[r.Conversation] = append(got[r.Conversation], r.Fact)
		return nil
	})
	if torn || err != nil {
		t.Fatalf("torn %v, %v", torn, err)
	}
	for _, conversation := range []string{"c1", "c2", ""} {
		if !reflect.DeepEqual(got[conversation], examples()) {
			t.Errorf("conversation %q: %+v", conversation, got[conversation])
		}
	}
	if len(examples()) != len(decoders()) {
		t.Errorf("%d examples, %d kinds", len(examples()), len(decoders()))
	}
}

// The format is a contract with files that exist: this line must stay readable.
func TestFormat(t *testing.T) {
	r := Record{By: "node-1", At: time.UnixMicro(1_700_000_000_000_000).UTC(), Conversation: "c1", Fact: TookOver{Epoch: 2}}
	const want = `{"v":1,"by":"node-1","at_us":1700000000000000,"conversation":"c1","kind":"took_over","data":{"epoch":2}}`
	got, err := json.Marshal(r)
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v\nwant %s", got, err, want)
	}
	_, err = Read(strings.NewReader(want+"\n"), func(back Record) error {
		if back != r {
			t.Errorf("%+v, want %+v", back, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadRefuses(t *testing.T) {
	const good = `{"v":1,"by":"n","at_us":1,"kind":"node_started","data":{}}` + "\n"
	for _, tt := range []struct{ name, in, want string }{
		{"garbage", good + "garbage\n", "line 2"},
		{"another version", `{"v":2,"by":"n","at_us":1,"kind":"node_started","data":{}}` + "\n", "version 2"},
		{"nobody's", `{"v":1,"at_us":1,"kind":"node_started","data":{}}` + "\n", `"by" is missing`},
		{"unknown kind", `{"v":1,"by":"n","at_us":1,"kind":"dreamt","data":{}}` + "\n", `"dreamt" is unknown`},
		{"unknown field", `{"v":1,"by":"n","at_us":1,"kind":"took_over","data":{"epoch":1,"x":1}}` + "\n", `unknown field "x"`},
		{"no data", `{"v":1,"by":"n","at_us":1,"kind":"took_over"}` + "\n", "took_over"},
		{"a text", `{"v":1,"by":"n","at_us":1,"kind":"took_over","data":"x"}` + "\n", "took_over"},
		{"too long", good + strings.Repeat("x", maxLine+1), "line 2 is longer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			torn, err := Read(strings.NewReader(tt.in), func(Record) error { return nil })
			if torn || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("torn %v, error %v, want one with %q", torn, err, tt.want)
			}
		})
	}
}

// A killed writer leaves half a line behind: what stands before it counts.
func TestTornLine(t *testing.T) {
	const in = `{"v":1,"by":"n","at_us":1,"kind":"node_started","data":{}}` + "\n" + `{"v":1,"by":"n","at_`
	n := 0
	torn, err := Read(strings.NewReader(in), func(Record) error { n++; return nil })
	if !torn || err != nil || n != 1 {
		t.Errorf("torn %v, %v, %d records", torn, err, n)
	}
}

// A history that could not be written says so, and writes nothing after the gap.
func TestWriterKeepsFirstError(t *testing.T) {
	full := &fullDisk{room: 1}
	w := NewWriter(full, "n")
	for range 3 {
		w.Record("", NodeStarted{})
	}
	if err := w.Err(); !errors.Is(err, io.ErrShortWrite) || full.writes != 2 {
		t.Errorf("%v after %d writes", err, full.writes)
	}
}

// fullDisk takes room writes.
type fullDisk struct{ room, writes int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.writes++; d.writes > d.room {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestTextOf(t *testing.T) {
	if got := TextOf(" \n"); got != (Text{}) {
		t.Errorf("no words: %+v", got)
	}
	a, b := TextOf("Yo  fui\na la playa. "), TextOf("Yo fui a la playa.")
	if a != b || a.Words != 5 || len(a.Hash) != 16 {
		t.Errorf("%+v and %+v", a, b)
	}
	if c := TextOf("Yo fui a la playa"); c.Hash == a.Hash {
		t.Error("another text has the same hash")
	}
}

// Whatever the file holds, reading it ends with records or an error; and a record that was
// read is written the same way.
func FuzzRead(f *testing.F) {
	for _, fact := range examples() {
		b, err := json.Marshal(Record{By: "n", At: time.UnixMicro(1), Conversation: "c", Fact: fact})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(b, '\n'))
	}
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = Read(bytes.NewReader(data), func(r Record) error {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatalf("%+v: %v", r, err)
			}
			var back Record
			if err := json.Unmarshal(b, &back); err != nil || !reflect.DeepEqual(back, r) {
				t.Fatalf("%+v became %+v, %v", r, back, err)
			}
			return nil
		})
	})
}
