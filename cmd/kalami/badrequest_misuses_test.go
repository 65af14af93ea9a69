package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// misuse is a way to call operations wrongly.
type misuse struct {
	name string
	// status is what it is answered where a row does not say otherwise; 0 stands for
	// anything but a fault of the server's.
	status int
	// attempts are the calls of this kind that fit an operation.
	attempts func(p *people, op describedOperation, r operationRow) []attempt
}

// misuses are those that follow from an operation's shape. What is wrong with recordings
// is in badrequest_clips_test.go.
func misuses() []misuse {
	return append([]misuse{
		{"a bad token", http.StatusUnauthorized, badTokens},
		{"another's", http.StatusNotFound, anothersThings},
		{"a deleted profile", http.StatusNotFound, deletedProfile},
		{"an ended session", http.StatusBadRequest, endedSession},
		{"a deleted profile's session", http.StatusNotFound, orphanedSession},
		{"an unknown id", http.StatusNotFound, unknownIDs},
		{"a malformed id", http.StatusNotFound, malformedIDs},
		{"a malformed body", http.StatusUnprocessableEntity, malformedBodies},
		{"a wrong content type", http.StatusUnsupportedMediaType, wrongTypes},
		{"a body too long", http.StatusRequestEntityTooLarge, longBodies},
		{"without", http.StatusUnprocessableEntity, missingFields},
		{"wrong type of", http.StatusUnprocessableEntity, wrongFieldTypes},
		{"too long", http.StatusUnprocessableEntity, longFields},
		{"null", 0, nullFields},
		{"hostile", 0, hostileFields},
		{"an unknown field", 0, unknownField},
		{"a bad value", 0, badValues},
		{"a bad parameter", http.StatusUnprocessableEntity, badParameters},
	}, append(clipMisuses(), fileMisuses()...)...)
}

func badTokens(p *people, op describedOperation, r operationRow) (all []attempt) {
	if r.open {
		return nil
	}
	tokens := p.badTokens()
	for _, name := range sortedKeys(tokens) {
		a := p.right(op, r)
		a.name, a.token = name, tokens[name]
		all = append(all, a)
	}
	a := p.right(op, r)
	a.name, a.token, a.header = "in another scheme", "", map[string]string{"Authorization": "Basic " + p.ana}
	return append(all, a)
}

// names lists which of the names a row uses are ids of ana's.
func (r operationRow) names() []string {
	return slices.DeleteFunc([]string{"$profile", "$spare", "$session", "$message", "$correction", "$utterance", "$card", "$discard", "$gone", "$review", "$assessment"}, func(name string) bool {
		return !strings.Contains(r.path+r.query+r.body, name)
	})
}

func anothersThings(p *people, op describedOperation, r operationRow) []attempt {
	if r.open || len(r.names()) == 0 {
		return nil
	}
	a := p.right(op, r)
	a.token = p.bo
	return []attempt{a}
}

func deletedProfile(p *people, op describedOperation, r operationRow) []attempt {
	if !slices.Contains(r.names(), "$profile") {
		return nil
	}
	return []attempt{p.call(op, r, p.instead("$profile", p.deleted))}
}

func endedSession(p *people, op describedOperation, r operationRow) []attempt {
	if !slices.Contains(r.names(), "$session") {
		return nil
	}
	return []attempt{p.call(op, r, p.instead("$session", p.ended))}
}

func orphanedSession(p *people, op describedOperation, r operationRow) []attempt {
	if !slices.Contains(r.names(), "$session") {
		return nil
	}
	return []attempt{p.call(op, r, p.instead("$session", p.orphan))}
}

func unknownIDs(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, name := range r.names() {
		a := p.call(op, r, p.instead(name, p.nobody))
		a.name = name
		all = append(all, a)
	}
	return all
}

func malformedIDs(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, name := range r.names() {
		for _, id := range []string{"x", "1", "%00", "%ff", "..", "%2e%2e%2fadmin", "%27%20OR%201=1--", "%F0%9F%92%A9",
			"00000000-0000-0000-0000-000000000000", "0199e0a5-7d3c-7aa1-8d52-3f1f6c0f9b1", strings.Repeat("9", 2000)} {
			if !strings.Contains(r.path, name) && strings.Contains(id, "%") {
				continue // an escape means nothing in JSON
			}
			a := p.call(op, r, p.instead(name, id))
			a.name = name + " " + id[:min(len(id), 40)]
			if !strings.HasSuffix(op.path, "}") && id == ".." {
				continue // clients resolve it, and call another route
			}
			all = append(all, a)
		}
	}
	return all
}

func malformedBodies(p *people, op describedOperation, r operationRow) (all []attempt) {
	bodies := map[string]string{
		"half an object": `{"a":`, "two objects": `{}{}`, "an array": `[]`, "a string": `"x"`, "a number": `7`, "null bytes": "\x00\x00", "not UTF-8": "{\"a\":\"\xff\"}",
		"deep": strings.Repeat("[", 100_000), "deep inside": `{"a":` + strings.Repeat(`{"a":`, 20_000), "a comment": `{/* */}`, "XML": `<a/>`,
		"a form": "a=b", "UTF-16": "\xff\xfe{\x00}\x00", "a huge number": `{"a":` + strings.Repeat("9", 100_000) + "e", "nothing": "",
	}
	if r.body == "" {
		return nil
	}
	for _, name := range sortedKeys(bodies) {
		a := p.right(op, r)
		a.name, a.body = name, bodies[name]
		all = append(all, a)
	}
	return all
}

func wrongTypes(p *people, op describedOperation, r operationRow) (all []attempt) {
	if r.body == "" && r.form == "" {
		return nil
	}
	for _, mt := range []string{"text/plain", "application/octet-stream", "application/jsonx", "application/json; charset", "*/*", "image/png, application/json"} {
		a := p.right(op, r)
		a.name, a.contentType = mt, mt
		all = append(all, a)
	}
	zipped := p.right(op, r)
	zipped.name, zipped.header = "gzip", map[string]string{"Content-Encoding": "gzip"}
	return append(all, zipped)
}

func longBodies(p *people, op describedOperation, r operationRow) []attempt {
	if r.body == "" && r.form == "" && r.file == "" {
		return nil
	}
	told := p.right(op, r)
	told.body += strings.Repeat(" ", r.longest()+1-len(told.body))
	untold := told
	told.name, untold.name, untold.chunked = "and said so", "and not said so", true
	return []attempt{told, untold}
}

// leaf is a field of a JSON body by its dotted path.
type leaf struct {
	path  string
	value any
}

// leaves lists the fields of a row's body, those of objects in it as well.
func (r operationRow) leaves() []leaf {
	var body map[string]any
	if r.body == "" || json.Unmarshal([]byte(r.body), &body) != nil {
		return nil
	}
	var all []leaf
	var walk func(prefix string, object map[string]any)
	walk = func(prefix string, object map[string]any) {
		for _, name := range sortedKeys(object) {
			all = append(all, leaf{prefix + name, object[name]})
			if inner, ok := object[name].(map[string]any); ok {
				walk(prefix+name+".", inner)
			}
		}
	}
	walk("", body)
	return all
}

// with is the right call with another value of one field; remove leaves it out.
func (p *people) with(op describedOperation, r operationRow, path string, value any) attempt {
	a := p.right(op, r)
	var body map[string]any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		panic("the row's body is no JSON: " + a.body)
	}
	object, steps := body, strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		object = object[step].(map[string]any)
	}
	if last := steps[len(steps)-1]; value == (remove{}) {
		delete(object, last)
	} else {
		object[last] = value
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	a.name, a.field, a.body = path, path, string(text)
	return a
}

type remove struct{}

func missingFields(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, field := range r.required {
		if r.form == "" {
			all = append(all, p.with(op, r, field, remove{}))
			continue
		}
		all = append(all, p.formWith(op, r, field, ""))
	}
	return all
}

// formWith is the right call with another value in one field of its form.
func (p *people) formWith(op describedOperation, r operationRow, field, value string) attempt {
	a := p.right(op, r)
	values, err := url.ParseQuery(a.body)
	if err != nil {
		panic(err)
	}
	values.Set(field, value)
	a.name, a.field, a.body = field, field, values.Encode()
	return a
}

func wrongFieldTypes(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, l := range r.leaves() {
		wrong := []any{7, []any{}, map[string]any{"a": 1}, true}
		switch l.value.(type) {
		case float64:
			wrong = []any{"7", []any{}, map[string]any{}, true}
		case bool:
			wrong = []any{"true", 1, []any{}}
		case map[string]any:
			wrong = []any{"x", 1, []any{}, true}
		}
		for _, w := range wrong {
			a := p.with(op, r, l.path, w)
			text, _ := json.Marshal(w)
			a.name += " " + string(text)
			all = append(all, a)
		}
	}
	return all
}

func longFields(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, l := range r.leaves() {
		if _, ok := l.value.(string); ok {
			all = append(all, p.with(op, r, l.path, strings.Repeat("x", 20_000)))
		}
	}
	return all
}

func nullFields(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, l := range r.leaves() {
		all = append(all, p.with(op, r, l.path, nil))
	}
	return all
}

func hostileFields(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, l := range r.leaves() {
		if slices.Contains(r.certain, l.path) {
			continue
		}
		hostile := []any{"", " ", "\x00", "a\nb", "\u202eabc", "../../etc/passwd", "' OR 1=1 --", "<script>", "${jndi:ldap://x}", "%s%n", "💩", "\u0000\ufffd"}
		if _, ok := l.value.(float64); ok {
			hostile = []any{-1, 0, 1e308, -1e-308, 9007199254740993, 1.5}
		}
		for _, h := range hostile {
			a := p.with(op, r, l.path, h)
			text, _ := json.Marshal(h)
			a.name, a.field = a.name+" "+string(text), ""
			all = append(all, a)
		}
	}
	return all
}

func badValues(p *people, op describedOperation, r operationRow) (all []attempt) {
	for _, f := range r.faults {
		var a attempt
		if r.form != "" {
			a = p.formWith(op, r, f.field, fmt.Sprint(f.value))
		} else {
			a = p.with(op, r, f.field, f.value)
		}
		text, _ := json.Marshal(f.value)
		a.name += " " + string(text[:min(len(text), 40)])
		a.expects = expectation{status: f.status, detail: f.detail}
		all = append(all, a)
	}
	return all
}

func unknownField(p *people, op describedOperation, r operationRow) []attempt {
	if r.body == "" || op.method != http.MethodPatch {
		return nil
	}
	return []attempt{p.with(op, r, "nonsense", 1)}
}

// badParameters gives each parameter of the query what it cannot be.
func badParameters(p *people, op describedOperation, r operationRow) (all []attempt) {
	right, err := url.ParseQuery(r.query)
	if err != nil {
		panic(err)
	}
	for _, name := range sortedKeys(right) {
		bad, ok := r.parameters[name]
		if !ok {
			continue
		}
		for _, value := range bad {
			a := p.right(op, r)
			values, err := url.ParseQuery(a.query)
			if err != nil {
				panic(err)
			}
			values.Set(name, value)
			a.name, a.field, a.query = name+"="+value[:min(len(value), 40)], name, values.Encode()
			all = append(all, a)
		}
		twice := p.right(op, r)
		twice.name, twice.field, twice.query = name+" twice", name, twice.query+"&"+twice.query
		all = append(all, twice)
	}
	return all
}

// The rows are written by hand: their bodies are JSON, and what they call required is there.
func TestRowsAreWellFormed(t *testing.T) {
	for _, r := range operationRows() {
		if r.body != "" && r.leaves() == nil && r.body != "{}" {
			t.Errorf("%s: the body is no JSON object", r.id)
		}
		if r.right == 0 {
			t.Errorf("%s: no status of the right call", r.id)
		}
		for name := range r.expects {
			if !slices.ContainsFunc(misuses(), func(m misuse) bool { return strings.HasPrefix(name, m.name) }) {
				t.Errorf("%s: no misuse is called %q", r.id, name)
			}
		}
	}
}
