package asyncapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kalami/gateway/wire"
	"kalami/session"
)

// methodReceivers lists the types of a Go file that have a method.
func methodReceivers(t *testing.T, file, method string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil && fn.Name.Name == method {
			names = append(names, fn.Recv.List[0].Type.(*ast.Ident).Name)
		}
	}
	if len(names) == 0 {
		t.Fatalf("no type with method %s in %s", method, file)
	}
	return names
}

// An event of the code without a message, or a message without its event, fails.
func TestEveryEventIsDescribed(t *testing.T) {
	described := map[string]bool{}
	note := func(v any) {
		name := reflect.TypeOf(v).Name()
		if described[name] {
			t.Errorf("%s is described twice", name)
		}
		described[name] = true
	}
	for _, e := range serverEvents() {
		note(e.event)
	}
	for _, e := range originalEvents() {
		note(e.event)
	}
	for _, c := range originalControls() {
		note(c.control)
	}
	for _, e := range clientEvents() {
		m := decoded(t, e)
		if m.Control == nil { // auth.update, whose token is for the gateway
			m.Control = session.AuthRenewed{}
		}
		note(m.Control)
	}
	// Made inside the server, or of whatever is not known.
	for _, inner := range []any{session.InputDropped{}, session.Detached{}, session.Attached{}, session.Rejected{}, wire.OriginalUnknown{}} {
		note(inner)
	}
	var known []string
	for _, place := range [][2]string{
		{"../../session/event_type.go", "EventType"}, {"../../session/input.go", "control"},
		{"../wire/original.go", "OriginalType"}, {"../wire/original.go", "originalControl"},
	} {
		known = append(known, methodReceivers(t, place[0], place[1])...)
	}
	for _, name := range known {
		if !described[name] {
			t.Errorf("%s is not described", name)
		}
		delete(described, name)
	}
	for name := range described {
		t.Errorf("%s is described and not in the code", name)
	}
}

// decoded reads an event's example as the server does.
func decoded(t *testing.T, e clientEvent) wire.Message {
	t.Helper()
	line, err := e.encoded()
	if err != nil {
		t.Fatal(err)
	}
	m, problem := wire.DecodeControl(line)
	if problem != nil {
		t.Fatalf("%s: %+v", line, *problem)
	}
	return m
}

// loaded is the document as a program reads it.
type loaded struct {
	t        *testing.T
	tree     map[string]any
	compiler *jsonschema.Compiler
}

const documentURL = "https://kalami.test/asyncapi.json"

// load encodes and reads the document; strictly, so that a field without a schema is an error.
func load(t *testing.T) *loaded {
	t.Helper()
	encoded, err := json.Marshal(New(Options{Name: "Kalami", Version: "v1", Closes: []Close{{4100, "heartbeat_timeout", "resume"}}}))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	l := &loaded{t: t, tree: tree.(map[string]any), compiler: jsonschema.NewCompiler()}
	for _, m := range l.messages() {
		m["payload"].(map[string]any)["unevaluatedProperties"] = false
	}
	l.compiler.AssertFormat()
	if err := l.compiler.AddResource(documentURL, l.tree); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *loaded) messages() map[string]map[string]any {
	out := map[string]map[string]any{}
	for key, m := range l.tree["components"].(map[string]any)["messages"].(map[string]any) {
		out[key] = m.(map[string]any)
	}
	return out
}

// valid checks a message's JSON against its payload's schema.
func (l *loaded) valid(key string, data []byte) error {
	schema, err := l.compiler.Compile(documentURL + "#/components/messages/" + key + "/payload")
	if err != nil {
		return fmt.Errorf("compile: %w", err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// Whatever travels today, as the golden files of package wire hold it, is as described.
func TestGoldenEventsAreAsDescribed(t *testing.T) {
	l := load(t)
	for file, direction := range map[string]string{
		"events.jsonl": voiceID + "." + toClient, "controls.jsonl": voiceID + "." + toServer, "original.jsonl": originalID + "." + toClient,
	} {
		data, err := os.ReadFile(filepath.Join("..", "wire", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var head struct{ Type string }
			if err := json.Unmarshal(line, &head); err != nil {
				t.Fatal(err)
			}
			if err := l.valid(direction+"."+head.Type, line); err != nil {
				t.Errorf("%s: %s: %v", file, head.Type, err)
			}
		}
	}
}

// Every example is valid, and the code takes it.
func TestExamples(t *testing.T) {
	l := load(t)
	for key, m := range l.messages() {
		if m["contentType"] != "application/json" {
			continue
		}
		examples := m["examples"].([]any)
		data, err := json.Marshal(examples[0].(map[string]any)["payload"])
		if err != nil || len(examples) != 1 {
			t.Fatalf("%s: %d examples, %v", key, len(examples), err)
		}
		if err := l.valid(key, data); err != nil {
			t.Errorf("%s: %s: %v", key, data, err)
		}
		switch {
		case strings.HasPrefix(key, voiceID+"."+toServer):
			if _, problem := wire.DecodeControl(data); problem != nil {
				t.Errorf("%s: %s: %s", key, data, problem.Message)
			}
		case strings.HasPrefix(key, voiceID+"."+toClient):
			if _, ev, err := wire.DecodeEvent(data); err != nil {
				t.Errorf("%s: %v", key, err)
			} else if _, raw := ev.(wire.RawEvent); raw {
				t.Errorf("%s: no client knows it", key)
			}
		case strings.HasPrefix(key, originalID+"."+toServer):
			if _, err := wire.DecodeOriginal(data); err != nil {
				t.Errorf("%s: %s: %v", key, data, err)
			}
		}
	}
}

// A field is required in a schema exactly when the decoder misses it.
func TestRequiredFieldsAreTheDecoders(t *testing.T) {
	l := load(t)
	for _, e := range clientEvents() {
		line, err := e.encoded()
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		key := voiceID + "." + toServer + "." + decoded(t, e).Type
		for _, name := range slices.Collect(maps.Keys(fields)) {
			without := maps.Clone(fields)
			delete(without, name)
			data, err := json.Marshal(without)
			if err != nil {
				t.Fatal(err)
			}
			_, problem := wire.DecodeControl(data)
			if described := l.valid(key, data) != nil; described != (problem != nil) {
				t.Errorf("%s without %s: described as wrong: %t; the decoder says %+v", key, name, described, problem)
			}
		}
	}
	for _, c := range originalControls() {
		key := originalID + "." + toServer + "." + c.name
		if m, err := wire.DecodeOriginal([]byte(`{"type":"` + c.name + `"}`)); err != nil || reflect.TypeOf(m) != reflect.TypeOf(c.control) {
			t.Errorf("%s is decoded to %T, %v", key, m, err)
		}
	}
}

// Every reference leads somewhere, and every message stands in one channel and one operation.
func TestReferences(t *testing.T) {
	l := load(t)
	var refs []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if r, ok := v["$ref"].(string); ok {
				refs = append(refs, r)
			}
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(l.tree)
	used := map[string]int{}
	for _, r := range refs {
		var at any = l.tree
		for part := range strings.SplitSeq(strings.TrimPrefix(r, "#/"), "/") {
			object, _ := at.(map[string]any)
			at = object[part]
		}
		if at == nil {
			t.Errorf("%s leads nowhere", r)
		}
		used[r]++
	}
	for key, m := range l.messages() {
		if m["summary"] == "" || used["#/components/messages/"+key] != 1 {
			t.Errorf("%s: summary %q, in %d channels", key, m["summary"], used["#/components/messages/"+key])
		}
		channelID, _, _ := strings.Cut(key, ".")
		if n := used["#/channels/"+channelID+"/messages/"+key]; n != 1 {
			t.Errorf("%s is in %d operations", key, n)
		}
	}
	if len(l.messages()) < 60 {
		t.Errorf("only %d messages", len(l.messages()))
	}
}
