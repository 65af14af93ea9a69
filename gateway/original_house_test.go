package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	endian "encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/wire"
	"kalami/session"
	"kalami/session/learn"
)

// wavFile is a recording of silence in WAV, 16 kHz mono.
func wavFile(d time.Duration) []byte {
	n := uint32(d.Seconds()*16000) * 2
	b := append([]byte("RIFF"), endian.LittleEndian.AppendUint32(nil, 36+n)...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data"...)
	return append(endian.LittleEndian.AppendUint32(b, n), make([]byte, n)...)
}

// tutor answers whole turns. By default it hears "hola" and says "¡Muy bien!".
type tutor struct {
	// asked gets every request.
	asked chan session.TurnRequest
	// go_ lets one turn go on for each value, when it is not nil.
	go_ chan struct{}

	mu     sync.Mutex
	result session.TurnResult
	err    error
	ended  []error // what each turn's context said when it was over
}

func newTutor() *tutor {
	return &tutor{asked: make(chan session.TurnRequest, 16), result: session.TurnResult{
		Learner: learn.Message{Content: "hola"}, Tutor: learn.Message{Content: "¡Muy bien!"}, Clip: []byte("ID3 a clip"),
	}}
}

// Take implements Turns.
func (f *tutor) Take(ctx context.Context, r session.TurnRequest) (session.TurnResult, error) {
	f.asked <- r
	r.Progress(session.TurnProgress{Step: session.TurnTranscribing})
	var err error
	if f.go_ != nil {
		select {
		case <-f.go_:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = append(f.ended, err)
	if err == nil {
		err = f.err
	}
	if err != nil {
		return session.TurnResult{}, err
	}
	result := f.result
	result.Conversation = learn.Conversation{ID: r.ConversationID, ProfileID: r.Profile.ID}
	if result.Unheard {
		return session.TurnResult{Conversation: result.Conversation, Unheard: true}, nil
	}
	r.Progress(session.TurnProgress{Step: session.TurnHeard, Text: result.Learner.Content})
	r.Progress(session.TurnProgress{Step: session.TurnThinking})
	r.Progress(session.TurnProgress{Step: session.TurnAnswered, Text: result.Tutor.Content})
	r.Progress(session.TurnProgress{Step: session.TurnSpeaking})
	return result, nil
}

// says changes what the tutor answers.
func (f *tutor) says(change func(r *session.TurnResult, err *error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.result, &f.err)
}

// ends returns how many turns are over, and how the last one was.
func (f *tutor) ends() (n int, last error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n = len(f.ended); n > 0 {
		last = f.ended[n-1]
	}
	return n, last
}

// originalHouse is a house whose server listens, with a tutor of whole turns.
type originalHouse struct {
	*socketHouse
	tutor *tutor
}

func newOriginalHouse(t *testing.T, change ...func(*Options)) *originalHouse {
	t.Helper()
	h := &originalHouse{tutor: newTutor()}
	h.socketHouse = newSocketHouse(t, noHost{}, append(change, func(o *Options) { o.Turns = h.tutor })...)
	return h
}

// limits changes the limits of the sockets that are opened from here on.
func (h *originalHouse) limits(change func(*originalLimits)) {
	change(&h.server.original.limits)
}

// roomIsWhole checks that all memory was given back.
func (h *originalHouse) roomIsWhole() {
	h.Helper()
	h.eventually("memory is given back", func() bool { return h.server.bodies.held.Load() == 0 })
}

// eventually waits for something that happens in another goroutine.
func (h *house) eventually(what string, happened func() bool) {
	h.Helper()
	for deadline := time.Now().Add(hang); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("%s: did not happen", what)
		}
	}
}

// oldPhone is the original's app: it reads every frame as JSON.
type oldPhone struct {
	*testing.T
	ws *websocket.Conn
}

// knock opens the socket at path and query; headers come in pairs.
func (h *originalHouse) knock(target string, header ...string) (*oldPhone, *http.Response, error) {
	h.Helper()
	hs := http.Header{}
	for i := 0; i < len(header); i += 2 {
		hs[header[i]] = []string{header[i+1]}
	}
	ws, resp, err := websocket.Dial(h.Context(), h.http.URL+target, &websocket.DialOptions{HTTPClient: h.http.Client(), HTTPHeader: hs})
	if err != nil {
		return nil, resp, err
	}
	ws.SetReadLimit(2 * wire.MaxOriginalBytes)
	h.Cleanup(func() { _ = ws.CloseNow() })
	return &oldPhone{h.T, ws}, resp, nil
}

// call opens the socket as ana's app does, and reads connected.
func (h *originalHouse) call() *oldPhone {
	h.Helper()
	p, _, err := h.knock("/ws?token=" + url.QueryEscape(h.access))
	if err != nil {
		h.Fatalf("dial: %v", err)
	}
	if got := p.next(); !strings.HasPrefix(got, `{"type":"connected","payload":{"connectionId":"ws_`) {
		h.Errorf("greeted with %s", got)
	}
	return p
}

// lesson is call, and a conversation begun.
func (h *originalHouse) lesson() (p *oldPhone, conversation string) {
	h.Helper()
	p = h.call()
	p.send(`{"type":"start_session","payload":{"profileId":"` + h.profile + `","topic":"Food"}}`)
	started := p.next()
	var m struct {
		Payload struct{ Session struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(started), &m); err != nil || m.Payload.Session.ID == "" {
		h.Fatalf("not started: %s", started)
	}
	return p, m.Payload.Session.ID
}

func (p *oldPhone) send(message string) {
	p.Helper()
	if err := p.ws.Write(p.Context(), websocket.MessageText, []byte(message)); err != nil {
		p.Fatalf("send: %v", err)
	}
}

func (p *oldPhone) sendBytes(data []byte) {
	p.Helper()
	if err := p.ws.Write(p.Context(), websocket.MessageBinary, data); err != nil {
		p.Fatalf("send: %v", err)
	}
}

// record sends one whole utterance; fields come in pairs.
func (p *oldPhone) record(file []byte, fields ...string) {
	p.Helper()
	payload := map[string]string{"audio_base64": base64.StdEncoding.EncodeToString(file), "format": "m4a"}
	for i := 0; i < len(fields); i += 2 {
		payload[fields[i]] = fields[i+1]
	}
	m, err := json.Marshal(map[string]any{"type": "audio", "payload": payload})
	if err != nil {
		p.Fatal(err)
	}
	p.send(string(m))
}

// next reads one frame: text, and JSON of the envelope's form and nothing more.
func (p *oldPhone) next() string {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), hang)
	defer cancel()
	kind, data, err := p.ws.Read(ctx)
	if err != nil {
		p.Fatalf("read: %v", err)
	}
	if kind != websocket.MessageText {
		p.Fatalf("a binary frame of %d bytes", len(data))
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var m struct {
		Type    string         `json:"type"`
		Payload map[string]any `json:"payload"`
	}
	if err := dec.Decode(&m); err != nil || m.Type == "" || m.Payload == nil || dec.More() {
		p.Fatalf("not an envelope (%v): %.200s", err, data)
	}
	return string(data)
}

// want reads these messages, in this order.
func (p *oldPhone) want(messages ...string) {
	p.Helper()
	for _, want := range messages {
		if got := p.next(); got != want {
			p.Errorf("got  %.300s\nwant %s", got, want)
		}
	}
}

// failed reads an error.
func (p *oldPhone) failed(code, message string) {
	p.Helper()
	p.want(`{"type":"error","payload":{"message":"` + message + `","code":"` + code + `"}}`)
}

// closed checks how the server closes, when nothing else comes.
func (p *oldPhone) closed(code websocket.StatusCode, reason string) {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), hang)
	defer cancel()
	kind, data, err := p.ws.Read(ctx)
	if err == nil {
		p.Fatalf("instead of the close came %v %.200s", kind, data)
	}
	end, ok := errors.AsType[websocket.CloseError](err)
	if !ok || end.Code != code || end.Reason != reason {
		p.Errorf("closed with %v, want %d %q", err, code, reason)
	}
}

// hang is when a step counts as hanging: megabytes that are masked under the race
// detector on a busy machine take long.
const hang = 3 * time.Minute

// What the app is told of a turn before its answer.
const (
	toldTranscribing = `{"type":"processing","payload":{"stage":"transcribing"}}`
	toldHeard        = `{"type":"transcription","payload":{"text":"hola","is_final":true}}`
	toldThinking     = `{"type":"processing","payload":{"stage":"thinking"}}`
	toldSpeaking     = `{"type":"processing","payload":{"stage":"speaking"}}`
	toldClip         = `{"type":"audio","payload":{"audio_base64":"SUQzIGEgY2xpcA==","format":"mp3"}}`
)

// answered reads a whole turn of the default tutor.
func (p *oldPhone) answered(conversation string) {
	p.Helper()
	p.want(toldTranscribing, toldHeard, toldThinking, toldSpeaking,
		`{"type":"response","payload":{"text":"¡Muy bien!","grammar_corrections":[],"session_id":"`+conversation+`"}}`, toldClip)
}
