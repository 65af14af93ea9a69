package wire

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"kalami/session"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with a file of testdata, or rewrites the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	if len(gotLines) != len(wantLines) {
		t.Errorf("%s: %d lines, the file has %d", name, len(gotLines), len(wantLines))
	}
	for i := range min(len(gotLines), len(wantLines)) {
		if !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Errorf("%s line %d:\n got %s\nwant %s", name, i+1, gotLines[i], wantLines[i])
		}
	}
}

// Every event looks on the wire as it always did, and a client reads it back unchanged.
func TestEventsGolden(t *testing.T) {
	var file []byte
	for i, ev := range exampleEvents() {
		head := session.Head{Seq: uint64(i + 1), EventID: fmt.Sprintf("evt_%d", i+1), TS: int64(i) * 100}
		line, err := AppendEvent(nil, head, ev)
		if err != nil {
			t.Fatalf("encode %T: %v", ev, err)
		}
		gotHead, got, err := DecodeEvent(line)
		if err != nil {
			t.Fatalf("decode %T: %v", ev, err)
		}
		if gotHead != head {
			t.Errorf("%T: head %+v, want %+v", ev, gotHead, head)
		}
		if !reflect.DeepEqual(got, ev) {
			t.Errorf("%T came back as\n%+v, want\n%+v", ev, got, ev)
		}
		file = append(append(file, line...), '\n')
	}
	golden(t, "events.jsonl", file)
}

// The same for every event of a client, read by the server.
func TestControlsGolden(t *testing.T) {
	var file []byte
	for i, c := range exampleControls() {
		id := fmt.Sprintf("e%d", i+1)
		line, err := c.encode(id)
		if err != nil {
			t.Fatalf("encode %T: %v", c.control, err)
		}
		got, problem := DecodeControl(line)
		if problem != nil {
			t.Fatalf("decode %s: %+v", line, *problem)
		}
		want := Message{Type: typeOf(line), EventID: id, Control: c.control, AccessToken: c.token}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%T came back as\n%+v, want\n%+v", c.control, got, want)
		}
		file = append(append(file, line...), '\n')
	}
	golden(t, "controls.jsonl", file)
}

// methodReceivers lists the types of a file of package session that have a method.
func methodReceivers(t *testing.T, file, method string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "session", file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || fn.Name.Name != method {
			continue
		}
		names = append(names, fn.Recv.List[0].Type.(*ast.Ident).Name)
	}
	if len(names) == 0 {
		t.Fatalf("no type with method %s in session/%s", method, file)
	}
	return names
}

// No event of package session can be added without an example here and a decoder in the client.
func TestCatalogueIsComplete(t *testing.T) {
	have := map[string]bool{}
	for _, ev := range exampleEvents() {
		have[reflect.TypeOf(ev).Name()] = true
	}
	for _, name := range methodReceivers(t, "event_type.go", "EventType") {
		if !have[name] {
			t.Errorf("event session.%s has no example", name)
		}
	}
	for _, c := range exampleControls() {
		if c.control != nil {
			have[reflect.TypeOf(c.control).Name()] = true
		}
	}
	// These are made inside the server and have no form on the wire.
	for _, c := range []session.Control{session.AuthRenewed{}, session.InputDropped{}, session.Detached{}, session.Attached{}, session.Rejected{}} {
		have[reflect.TypeOf(c).Name()] = true
		if _, err := EncodeControl("", c); err == nil {
			t.Errorf("%T was encoded; no client may say it", c)
		}
	}
	for _, name := range methodReceivers(t, "input.go", "control") {
		if !have[name] {
			t.Errorf("control session.%s has no example", name)
		}
	}
}
