package simulate_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

const deepgramKey = "dg-test-key"

// message is any message of either endpoint, for tests to look into.
type message struct {
	Type         string
	Event        string
	IsFinal      bool `json:"is_final"`
	SpeechFinal  bool `json:"speech_final"`
	FromFinalize bool `json:"from_finalize"`
	Start        float64
	Duration     float64
	Channel      json.RawMessage
	Timestamp    float64
	LastWordEnd  float64 `json:"last_word_end"`
	RequestID    string  `json:"request_id"`
	Models       []string

	Sequence    *int `json:"sequence_id"`
	Turn        int  `json:"turn_index"`
	Transcript  string
	Words       []word
	WindowStart float64 `json:"audio_window_start"`
	WindowEnd   float64 `json:"audio_window_end"`
	Code        string
	Thresholds  struct {
		TimeoutMS int `json:"eot_timeout_ms"`
	}

	at time.Duration // since the socket was opened
}

type word struct {
	Word       string
	Punctuated string `json:"punctuated_word"`
	Start, End float64
}

// said returns a Results message's transcript and words.
func (m message) said(t *testing.T) (string, []word) {
	t.Helper()
	var c struct {
		Alternatives []struct {
			Transcript string
			Words      []word
		}
	}
	if err := json.Unmarshal(m.Channel, &c); err != nil || len(c.Alternatives) != 1 {
		t.Fatalf("channel %s: %v", m.Channel, err)
	}
	return c.Alternatives[0].Transcript, c.Alternatives[0].Words
}

// ear is a bare client on a socket in memory.
type ear struct {
	*websocket.Conn
	t      *testing.T
	begun  time.Time
	header http.Header
	got    []message // complete once over is closed
	over   chan struct{}
	err    error
}

// wire dials a simulator in memory. It must be called in a bubble.
func wire(t *testing.T, sim *simulate.Server, path string, q url.Values) *ear {
	t.Helper()
	client := providertest.Serve(t, sim)
	t.Cleanup(sim.Close)
	c, resp, err := websocket.Dial(t.Context(), "http://deepgram.test"+path+"?"+q.Encode(),
		&websocket.DialOptions{HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"Token " + deepgramKey}}})
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{Conn: c, t: t, begun: time.Now(), header: resp.Header, over: make(chan struct{})}
	go func() {
		defer close(e.over)
		for {
			_, b, err := c.Read(context.Background())
			if err != nil {
				e.err = err
				return
			}
			m := message{at: time.Since(e.begun)}
			if err := json.Unmarshal(b, &m); err != nil && !strings.Contains(string(b), `"TypeOfTheFuture"`) {
				e.err = err
				return
			}
			e.got = append(e.got, m)
		}
	}()
	t.Cleanup(func() {
		_ = c.CloseNow()
		<-e.over
	})
	return e
}

// say sends samples in real time, 20 ms at once.
func (e *ear) say(pcm []int16) {
	e.t.Helper()
	for frame := range slices.Chunk(pcm, 320) {
		e.write(websocket.MessageBinary, pack(frame))
		time.Sleep(20 * time.Millisecond)
	}
}

func (e *ear) control(text string) { e.t.Helper(); e.write(websocket.MessageText, []byte(text)) }

func (e *ear) write(kind websocket.MessageType, b []byte) {
	e.t.Helper()
	if err := e.Write(context.Background(), kind, b); err != nil {
		e.t.Fatal(err)
	}
}

// finish closes the stream and returns all messages and the close code.
func (e *ear) finish() ([]message, websocket.StatusCode) {
	e.t.Helper()
	e.control(`{"type":"CloseStream"}`)
	<-e.over
	return e.got, websocket.CloseStatus(e.err)
}

func pack(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, v := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func fixture(t *testing.T, name string) []int16 {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	b = b[44:]
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

func novaParams(change ...string) url.Values {
	q := url.Values{
		"model": {"nova-3"}, "language": {"en"}, "encoding": {"linear16"}, "sample_rate": {"16000"}, "interim_results": {"true"},
		"endpointing": {"400"}, "utterance_end_ms": {"1000"}, "vad_events": {"true"}, "smart_format": {"true"},
	}
	return changed(q, change)
}

// changed sets pairs of names and values; an empty value takes the name away.
func changed(q url.Values, pairs []string) url.Values {
	for p := range slices.Chunk(pairs, 2) {
		if q.Set(p[0], p[1]); p[1] == "" {
			q.Del(p[0])
		}
	}
	return q
}

func keyed(opt simulate.Options) *simulate.Server {
	opt.Key = deepgramKey
	return simulate.New(opt)
}
