package simulate

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sseEvent is one event as an independent reader of the wire sees it.
type sseEvent struct {
	name, data string
}

// readSSE reads a body by the rules of the event-stream format alone, without
// anybody's client.
func readSSE(t *testing.T, body io.Reader) (events []sseEvent) {
	t.Helper()
	var ev sseEvent
	for lines := bufio.NewScanner(body); lines.Scan(); {
		line := lines.Text()
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			events = append(events, ev)
			ev = sseEvent{}
		case field == "event" && ev == sseEvent{}:
			ev.name = value
		case field == "data" && ev.data == "":
			ev.data = value
		default:
			t.Fatalf("line %q does not belong into the stream", line)
		}
	}
	if ev != (sseEvent{}) {
		t.Errorf("the last event %+v is not closed by an empty line", ev)
	}
	return events
}

// post sends a JSON body as any client would. The caller reads the body.
func post(t *testing.T, url, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return res
}

// serve puts a simulator on loopback until the test ends.
func serve(t *testing.T, opt Options) (*Server, string) {
	t.Helper()
	opt.Engine = "none"
	s := New(opt)
	web := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		web.Close()
	})
	return s, web.URL
}

// decode reads an answer's JSON into a tree.
func decode(t *testing.T, data string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return v
}

// at follows a path of keys and indices into a JSON tree; nil where it ends early.
func at(v any, path ...any) any {
	for _, p := range path {
		switch k := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}
