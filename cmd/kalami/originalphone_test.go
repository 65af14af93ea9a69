package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// originalPhone is the original's app: what it sends, how it reads, and nothing that it
// could not know.
type originalPhone struct {
	t      *testing.T
	base   string // with the prefix that it was built with
	client *http.Client
	access string
}

func newOriginalPhone(t *testing.T, base string) *originalPhone {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &originalPhone{t: t, base: base, client: &http.Client{Transport: transport}}
}

// object is an answer as the app has it after JSON.parse.
type object = map[string]any

// call sends a request and reads the answer, which is JSON whatever its status.
func (p *originalPhone) call(method, path, contentType string, body io.Reader, want int) (answer []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, body)
	if err != nil {
		p.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if p.access != "" {
		r.Header.Set("Authorization", "Bearer "+p.access)
	}
	res, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(res.Body); err != nil {
		p.t.Fatal(err)
	}
	if res.StatusCode != want {
		p.t.Fatalf("%s %s answers %d, want %d: %.500s", method, path, res.StatusCode, want, answer)
	}
	if want == http.StatusNoContent {
		if len(answer) > 0 {
			p.t.Errorf("%s %s answers 204 with %q", method, path, answer)
		}
		return nil
	}
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		p.t.Errorf("%s %s answers %q", method, path, got)
	}
	localTime := regexp.MustCompile(`"\d{4}-\d\d-\d\dT[\d:.]+([+-][\d:]+)?"`)
	for _, at := range localTime.FindAllString(string(answer), -1) {
		p.t.Errorf("%s %s tells a time that is not in UTC: %s", method, path, at)
	}
	return answer
}

// send is call with a body of JSON, or none for nil.
func (p *originalPhone) send(method, path string, body any, want int) []byte {
	p.t.Helper()
	if body == nil {
		return p.call(method, path, "", nil, want)
	}
	data, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.call(method, path, "application/json", bytes.NewReader(data), want)
}

// form is call with a url-encoded form.
func (p *originalPhone) form(path string, fields url.Values, want int) []byte {
	p.t.Helper()
	return p.call("POST", path, "application/x-www-form-urlencoded", strings.NewReader(fields.Encode()), want)
}

// file is call with a multipart form of one file.
func (p *originalPhone) file(path, field, name string, content []byte, want int) []byte {
	p.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return p.call("POST", path, w.FormDataContentType(), &body, want)
}

// refused checks that an error's detail, which the app shows as it is, is this text.
func (p *originalPhone) refused(answer []byte, detail string) {
	p.t.Helper()
	e := read(p.t, answer, shape{"detail": text, "code": text, "request_id": text})
	if e["detail"] != detail {
		p.t.Errorf("the app shows %q, want %q", e["detail"], detail)
	}
}

// originalSocket is the app's socket.
type originalSocket struct {
	t      *testing.T
	ws     *websocket.Conn
	frames chan object // closed at the end, with err set before
	err    error
}

// dial opens it and begins to read.
func (p *originalPhone) dial(query string) *originalSocket {
	p.t.Helper()
	ws, _, err := websocket.Dial(p.t.Context(), "ws"+strings.TrimPrefix(p.base, "http")+"/ws"+query, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	ws.SetReadLimit(64 << 20)
	s := &originalSocket{t: p.t, ws: ws, frames: make(chan object, 256)}
	done := make(chan struct{})
	go func() { defer close(done); s.read() }()
	p.t.Cleanup(func() {
		_ = ws.CloseNow()
		<-done
	})
	return s
}

// read is the app's onmessage: JSON.parse of whatever comes, and an answer to any
// heartbeat.
func (s *originalSocket) read() {
	defer close(s.frames)
	for {
		kind, data, err := s.ws.Read(context.Background()) // ended by closing
		if err != nil {
			s.err = err
			return
		}
		var m object
		if err := json.Unmarshal(data, &m); kind != websocket.MessageText || err != nil {
			s.t.Errorf("the app cannot parse a frame (%v, %v): %.100q", kind, err, data)
			return
		}
		if m["type"] == "heartbeat" {
			_ = s.ws.Write(context.Background(), websocket.MessageText, []byte(`{"type":"heartbeat","payload":{"pong":true}}`))
		}
		s.frames <- m
	}
}

// say sends a message as the app does.
func (s *originalSocket) say(name string, payload any) {
	s.t.Helper()
	data, err := json.Marshal(object{"type": name, "payload": payload})
	if err == nil {
		err = s.ws.Write(s.t.Context(), websocket.MessageText, data)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// next returns the next message's type and payload.
func (s *originalSocket) next() (name string, payload object) {
	s.t.Helper()
	select {
	case m, ok := <-s.frames:
		if !ok {
			s.t.Fatalf("the socket ended: %v", s.err)
		}
		conform(s.t, "message", m, shape{"type": text, "payload": anyObject})
		name, _ = m["type"].(string)
		payload, _ = m["payload"].(object)
		return name, payload
	case <-time.After(patience):
		s.t.Fatal("the server says nothing")
	}
	return "", nil
}

// want reads the next message, which must be of this type and shape.
func (s *originalSocket) want(name string, want shape) object {
	s.t.Helper()
	got, payload := s.next()
	if got != name {
		s.t.Fatalf("%s came instead of %s: %v", got, name, payload)
	}
	conform(s.t, name, payload, want)
	return payload
}

// What a field may hold. Times are RFC 3339 with Z: without a zone JavaScript would read
// them as local time.
type kind func(v any) bool

func text(v any) bool      { s, ok := v.(string); return ok && s != "" }
func number(v any) bool    { _, ok := v.(float64); return ok }
func truth(v any) bool     { _, ok := v.(bool); return ok }
func null(v any) bool      { return v == nil }
func anyObject(v any) bool { _, ok := v.(object); return ok }
func utc(v any) bool {
	s, ok := v.(string)
	_, err := time.Parse(time.RFC3339, s)
	return ok && err == nil && strings.HasSuffix(s, "Z")
}
func orNull(k kind) kind { return func(v any) bool { return v == nil || k(v) } }

// shape is what an object must have at least: a kind, a shape, or a list for each field.
type shape map[string]any

// list is an array, empty or not and never null, of one kind or shape.
type list struct{ of any }

// conform fails the test for each field that is missing or of another kind.
func conform(t *testing.T, path string, v any, want any) {
	t.Helper()
	switch want := want.(type) {
	case func(any) bool:
		conform(t, path, v, kind(want))
	case kind:
		if !want(v) {
			t.Errorf("%s is %#v", path, v)
		}
	case shape:
		o, ok := v.(object)
		if !ok {
			t.Errorf("%s is %#v, want an object", path, v)
			return
		}
		for field, inner := range want {
			if value, there := o[field]; there {
				conform(t, path+"."+field, value, inner)
			} else {
				t.Errorf("%s has no field %s", path, field)
			}
		}
	case list:
		items, ok := v.([]any)
		if !ok {
			t.Errorf("%s is %#v, want an array", path, v)
		}
		for _, item := range items {
			conform(t, path+"[]", item, want.of)
		}
	default:
		t.Fatalf("no such shape: %T", want)
	}
}

// read parses an answer that is an object of this shape.
func read(t *testing.T, answer []byte, want shape) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(answer, &o); err != nil {
		t.Fatalf("not an object: %.300s", answer)
	}
	conform(t, "answer", o, want)
	return o
}

// readList parses an answer that is an array of objects of this shape.
func readList(t *testing.T, answer []byte, want shape) []object {
	t.Helper()
	var items []object
	if err := json.Unmarshal(answer, &items); err != nil {
		t.Fatalf("not an array of objects: %.300s", answer)
	}
	for _, o := range items {
		conform(t, "item", o, want)
	}
	return items
}

// The shapes that the original's back end and its app agreed on, and those that only the
// app expected, together.
func userShape() shape {
	return shape{"id": text, "email": text, "native_language": text, "name": text, "created_at": utc}
}

func profileShape() shape {
	return shape{
		"id": text, "target_language": text, "cefr_level": text, "total_practice_time": number, "conversation_count": number,
		"current_streak": number, "vocabulary_mastered": number, "total_speaking_time_seconds": number, "streak_days": number,
	}
}

func sessionShape() shape {
	return shape{
		"id": text, "topic": text, "started_at": utc, "ended_at": orNull(utc), "duration_seconds": number, "words_spoken": number,
		"corrections_made": number, "profile_id": text, "user_id": text, "difficulty_level": text, "message_count": number,
		"accuracy_score": null,
	}
}

func correctionShape() shape {
	return shape{"original": text, "corrected": text, "explanation": text, "category": text}
}

func turnShape() shape {
	return shape{
		"user_text": text, "assistant_text": text, "assistant_audio_base64": orNull(text), "corrections": list{correctionShape()},
		"vocabulary_introduced": list{text}, "transcription": text, "response_text": text, "response_audio_url": null,
		"grammar_corrections": list{correctionShape()}, "pronunciation_feedback": null,
	}
}

func messageShape() shape {
	return shape{
		"id": text, "role": text, "content": text, "created_at": utc, "content_text": text, "timestamp": utc, "session_id": text,
		"audio_url": null, "grammar_corrections": list{correctionShape()}, "pronunciation_feedback": null,
	}
}

func statsShape() shape {
	return shape{
		"total_sessions": number, "total_speaking_minutes": number, "total_vocabulary_mastered": number, "languages_learning": list{text},
		"current_streak": number, "total_practice_time": number, "total_conversations": number, "longest_streak": number,
	}
}

// roles are those of a history's messages.
func roles(messages []object) []string {
	var all []string
	for _, m := range messages {
		role, _ := m["role"].(string)
		all = append(all, role)
	}
	return all
}
