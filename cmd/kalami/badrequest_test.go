package main

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"kalami/providers/simulate"
)

// Every operation that the API's description names is called rightly and in every wrong
// way that fits its shape: see operationRows for what each answers, and misuses for the
// ways. No answer is a 500, and each refusal has the one shape.
func TestBadRequests(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		p := meetPeople(t, openHouse(t, b, simulate.Latency{}, "KALAMI_RATE_LIMITS=false",
			"KALAMI_SESSIONS_PER_USER=100", "DEBUG=true", "KALAMI_VERIFY_EMAIL=optional"))
		described := p.description(t)
		for _, r := range operationRows() {
			t.Run(r.id, func(t *testing.T) {
				op, ok := described[r.id]
				if !ok {
					t.Fatal("the description has no such operation")
				}
				r.describedAs(t, op)
				if r.once {
					p.send(t, p.right(op, r)).has(t, r.right)
				}
				for _, m := range misuses() {
					for _, a := range m.attempts(p, op, r) {
						t.Run(m.name+" "+a.name, func(t *testing.T) { p.judge(t, r, m, a) })
					}
				}
				if !r.once {
					p.send(t, p.right(op, r)).has(t, r.right)
				}
			})
			delete(described, r.id)
		}
		for id := range described {
			t.Errorf("operation %s has no row that says what wrong calls of it get", id)
		}
	})
}

// describedOperation is what the description says of one operation.
type describedOperation struct {
	method, path string
	Security     []map[string][]string
	Parameters   []struct{ Name, In string }
	RequestBody  struct {
		Content map[string]struct{ Schema schemaPart }
	}
}

// schemaPart is the part of a JSON schema that tells a body's fields.
type schemaPart struct {
	Ref        string `json:"$ref"`
	Properties map[string]json.RawMessage
}

// description reads /openapi.json: its operations by id.
func (p *people) description(t *testing.T) map[string]describedOperation {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]schemaPart }
	}
	p.send(t, attempt{method: http.MethodGet, path: "/openapi.json"}).has(t, http.StatusOK).read(t, &doc)
	all := map[string]describedOperation{}
	for path, item := range doc.Paths {
		for method, raw := range item {
			var op describedOperation
			var named struct{ OperationID string }
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &named); err != nil || named.OperationID == "" {
				t.Fatalf("%s %s has no operationId: %v", method, path, err)
			}
			for mt, content := range op.RequestBody.Content {
				if name, ok := strings.CutPrefix(content.Schema.Ref, "#/components/schemas/"); ok {
					content.Schema = doc.Components.Schemas[name]
				}
				op.RequestBody.Content[mt] = content
			}
			op.method, op.path = strings.ToUpper(method), path
			all[named.OperationID] = op
		}
	}
	return all
}

// describedAs compares a row with the description: a parameter or field that the row does
// not use would not be tried.
func (r operationRow) describedAs(t *testing.T, op describedOperation) {
	t.Helper()
	if open := len(op.Security) == 0; open != r.open {
		t.Errorf("described as open: %v", open)
	}
	for _, parameter := range op.Parameters {
		if parameter.In == "query" && !r.hasQuery(parameter.Name) {
			t.Errorf("the row does not use the parameter %s", parameter.Name)
		}
	}
	for mt, content := range op.RequestBody.Content {
		fields := r.fieldsOf(t, mt)
		for name := range content.Schema.Properties {
			if !slices.Contains(fields, name) {
				t.Errorf("the row does not use the field %s of %s", name, mt)
			}
		}
	}
}

// judge sends one attempt and compares its answer with what the row expects.
func (p *people) judge(t *testing.T, r operationRow, m misuse, a attempt) {
	t.Helper()
	got := p.send(t, a)
	want, stated := r.expects[m.name+" "+a.name]
	if !stated {
		want, stated = r.expects[m.name]
	}
	if a.expects.status != 0 {
		want, stated = a.expects, true
	}
	switch {
	case stated:
		got.has(t, want.status)
	case m.status != 0:
		got.has(t, m.status)
	}
	if want.body != "" && string(got.body) != want.body {
		t.Errorf("answered %.300q, want %q", got.body, want.body)
	}
	if got.status < http.StatusBadRequest {
		return
	}
	refusal := got.refusal(t)
	if want.detail != "" && refusal.Detail != want.detail {
		t.Errorf("detail %q, want %q", refusal.Detail, want.detail)
	}
	if a.field == "" || got.status != http.StatusUnprocessableEntity || stated && a.expects.status == 0 {
		return
	}
	for _, e := range refusal.Errors {
		if e.Field == a.field {
			return
		}
	}
	t.Errorf("the field %s is not named: %s", a.field, got.body)
}

// apiAnswer is an answer, read.
type apiAnswer struct {
	status int
	header http.Header
	body   []byte
}

// refusal is the one shape of errors.
type refusal struct {
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Field   string `json:"field"`
		Message string `json:"message"`
	} `json:"errors"`
}

// has fails the test unless the answer has this status.
func (a apiAnswer) has(t *testing.T, status int) apiAnswer {
	t.Helper()
	if a.status != status {
		t.Errorf("answered %d, want %d: %.300s", a.status, status, a.body)
	}
	return a
}

func (a apiAnswer) read(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		t.Fatalf("%v: %.300s", err, a.body)
	}
}

// refusal checks what holds for every error.
func (a apiAnswer) refusal(t *testing.T) (r refusal) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(string(a.body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil || r.Detail == "" || r.Code == "" || r.RequestID == "" {
		t.Errorf("not of the error shape: %v: %.300s", err, a.body)
	}
	if id := a.header.Get("X-Request-ID"); id != r.RequestID {
		t.Errorf("request %q is called %q in the error", id, r.RequestID)
	}
	if a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
		t.Errorf("answered %d: %.300s", a.status, a.body)
	}
	if bearer := a.header.Get("WWW-Authenticate") == "Bearer"; bearer != (a.status == http.StatusUnauthorized) {
		t.Errorf("%d has WWW-Authenticate: %v", a.status, bearer)
	}
	for _, e := range r.Errors {
		if e.Field == "" || e.Message == "" {
			t.Errorf("error %+v of %q", e, r.Detail)
		}
	}
	return r
}

// attempt is one request.
type attempt struct {
	name, field  string // what is tried, and the field that the answer should name
	method, path string
	query, token string
	header       map[string]string
	contentType  string
	body         string
	chunked      bool        // the length is not told
	expects      expectation // its own
}

// send makes the request and reads its answer.
func (p *people) send(t *testing.T, a attempt) apiAnswer {
	t.Helper()
	target := p.url() + a.path
	if a.query != "" {
		target += "?" + a.query
	}
	var body io.Reader = strings.NewReader(a.body)
	if a.chunked {
		body = io.MultiReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), a.method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.contentType != "" {
		r.Header.Set("Content-Type", a.contentType)
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	if len(a.body) > 1<<20 && !a.chunked {
		r.Header.Set("Expect", "100-continue") // or the refusal is lost in what is still sent
	}
	for name, value := range a.header {
		r.Header.Set(name, value)
	}
	res, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return apiAnswer{res.StatusCode, res.Header, content}
}

// sortedKeys makes the order of a map's cases the same each time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
