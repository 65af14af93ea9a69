package simulate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// head is a cassette's first line; a socket that is open and a request follow where
// a test needs them.
const (
	head   = `{"kalami_cassette":1,"created":"2026-03-01T12:00:00Z","note":"n"}` + "\n"
	opened = `{"t":0,"conn":1,"vendor":"deepgram","dir":"up","kind":"open","method":"GET","path":"/v1/listen"}` + "\n" +
		`{"t":5,"conn":1,"vendor":"deepgram","dir":"down","kind":"response","status":101}` + "\n"
	posted = `{"t":5,"conn":2,"vendor":"anthropic","dir":"up","kind":"request","method":"POST","path":"/v1/messages","data":"{}"}` + "\n" +
		`{"t":9,"conn":2,"vendor":"anthropic","dir":"down","kind":"response","status":200}` + "\n"
)

func TestReadCassette(t *testing.T) {
	c, err := ReadCassette(strings.NewReader(head + opened + posted +
		`{"t":10,"conn":1,"vendor":"deepgram","dir":"up","kind":"binary","b64":"AAEC"}` + "\n" +
		`{"t":11,"conn":2,"vendor":"anthropic","dir":"down","kind":"chunk","data":"¡hola!","of the future":1}` + "\n" +
		`{"t":12,"conn":1,"vendor":"deepgram","dir":"down","kind":"close","status":1011,"data":"why"}` + "\n" +
		`{"t":13,"conn":2,"vendor":"anthropic","dir":"down","kind":"close"}`)) // no line break at the end
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Events) != 8 || c.Created.Year() != 2026 {
		t.Fatalf("%d events, created %v", len(c.Events), c.Created)
	}
	if got := c.Events[4].Payload(); !bytes.Equal(got, []byte{0, 1, 2}) {
		t.Errorf("binary message %v", got)
	}
	if got := string(c.Events[5].Payload()); got != "¡hola!" {
		t.Errorf("chunk %q", got)
	}
}

// Whatever is wrong, the error says on which line and, where one is to blame, in
// which field.
func TestReadCassetteSaysWhatIsWrong(t *testing.T) {
	const message = `{"t":9,"conn":1,"vendor":"deepgram","dir":"up","kind":"text","data":"x"}` + "\n"
	with := func(old, new string) string { return head + opened + strings.Replace(message, old, new, 1) }
	for name, tt := range map[string]struct{ in, want string }{
		"empty":             {"", "line 1: the header is missing"},
		"another file":      {"RIFF\x00\x01WAVE", "line 1: not the header"},
		"other JSON":        {"{}\n", "line 1: not the header"},
		"a later version":   {`{"kalami_cassette":9}`, "line 1: version 9"},
		"cut short":         {head + opened + message[:40], "line 4: not a JSON object"},
		"an empty line":     {head + "\n" + opened, "line 2: not a JSON object"},
		"wrong type":        {with(`"data":"x"`, `"data":7`), "line 4: data: has a value of the wrong type"},
		"bad base64":        {with(`"data":"x"`, `"b64":"%"`), "line 4: not a JSON object"},
		"time runs back":    {with(`"t":9`, `"t":1`), "line 4: t: 1 is before"},
		"time before all":   {with(`"t":9`, `"t":-1`), "line 4: t: "},
		"time out of hand":  {with(`"t":9`, `"t":99999999999`), "line 4: t: 99999999999 is more"},
		"conn zero":         {with(`"conn":1`, `"conn":0`), "line 4: conn: must be"},
		"unknown conn":      {with(`"conn":1`, `"conn":3`), "line 4: conn: 3 was not begun"},
		"sideways":          {with(`"up"`, `"left"`), `line 4: dir: "left"`},
		"another vendor":    {with(`"deepgram"`, `"openai"`), "line 4: vendor: conn 1 is deepgram's"},
		"unknown kind":      {with(`"text"`, `"song"`), `line 4: kind: "song" is not known`},
		"text and binary":   {with(`"data"`, `"b64":"AA==","data"`), "line 4: data and b64"},
		"chunk on socket":   {with(`"text"`, `"chunk"`), `line 4: kind: up "chunk" cannot come here`},
		"text on HTTP":      {head + posted + strings.Replace(strings.Replace(message, `:1,`, `:2,`, 1), "deepgram", "anthropic", 1), `line 4: kind: up "text"`},
		"second response":   {with(`"up","kind":"text"`, `"down","kind":"response","status":200`), `line 4: kind: down "response"`},
		"after the close":   {with("text", "close") + message, "line 4: status: 0"},
		"closed twice":      {with(`"text"`, `"close","status":1000`) + message, "line 5: conn: 1 was closed"},
		"close code":        {with(`"text"`, `"close","status":1004`), "line 4: status: 1004"},
		"long reason":       {with(`"text","data":"x"`, `"close","status":1000,"data":"`+strings.Repeat("x", 124)+`"`), "line 4: data: the reason"},
		"HTTP close code":   {head + posted + `{"t":9,"conn":2,"vendor":"anthropic","dir":"down","kind":"close","status":1000}`, "line 4: status: 1000; an HTTP call"},
		"begun twice":       {head + opened + opened, "line 4: t: 0"},
		"conn used again":   {head + opened + strings.ReplaceAll(opened, `"t":0`, `"t":9`), "line 4: conn: 1 was begun before"},
		"vendor's open":     {head + strings.Replace(opened, `"up"`, `"down"`, 1), "line 2: dir: must be up"},
		"no method":         {head + strings.Replace(opened, `"GET"`, `""`, 1), "line 2: method"},
		"a foreign path":    {head + strings.Replace(opened, "/v1/listen", "/v1/messages", 1), `line 2: path: "/v1/messages"`},
		"no vendor":         {head + strings.Replace(opened, "deepgram", "", 1), "line 2: path"},
		"odd status":        {head + strings.Replace(opened, "101", "99", 1), "line 3: status: 99"},
		"switching by HTTP": {head + strings.Replace(posted, "200", "101", 1), "line 3: status: 101"},
		"said when refused": {head + strings.Replace(opened, "101", "401", 1) + message, `line 4: kind: up "text"`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadCassette(strings.NewReader(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

// A line that never ends is refused before it fills the memory.
func TestReadCassetteBoundsLines(t *testing.T) {
	endless := io.MultiReader(strings.NewReader(head+`{"data":"`), io.LimitReader(zeros{}, maxCassetteLine+1))
	if _, err := ReadCassette(endless); err == nil || !strings.Contains(err.Error(), "line 2: longer than") {
		t.Errorf("error %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestOpenCassetteNamesTheFile(t *testing.T) {
	if _, err := OpenCassette(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCassette(path); err == nil || !strings.Contains(err.Error(), path+": cassette: line 1") {
		t.Errorf("error %v", err)
	}
}

// A recording is never written over.
func TestCreateCassetteKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "talk")
	first, err := CreateCassette(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateCassette(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want %v", err, fs.ErrExist)
	}
}

// brokenDisk takes one line.
type brokenDisk struct{ lines int }

var errDisk = errors.New("the disk is full")

func (d *brokenDisk) Write(p []byte) (int, error) {
	if d.lines++; d.lines > 1 {
		return 0, errDisk
	}
	return len(p), nil
}
func (d *brokenDisk) Close() error { return nil }

func TestCassetteWriterTellsAtTheEnd(t *testing.T) {
	w := NewCassetteWriter(&brokenDisk{})
	r := httptest.NewRequest("GET", "/v1/listen", nil)
	w.tape(KindOpen, Deepgram, r, nil).end(Up, 1000, "")
	if n := w.Lines(); n != 1 {
		t.Errorf("%d lines, want the header", n)
	}
	if err := w.Close(); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v", err)
	}
}

// Bytes come back as they were: text as text, what is none as base64.
func TestPayloadsSurvive(t *testing.T) {
	var file bytes.Buffer
	w := NewCassetteWriter(nopCloser{&file})
	tp := w.tape(KindOpen, Deepgram, httptest.NewRequest("GET", "/v1/listen?model=nova-3", nil), nil)
	tp.response(101, nil, nil)
	payloads := []string{"", "<plain> & \"quoted\"\u2028\n", "\x00\x01", "\xff\xfe broken UTF-8", "tabs\tand\r\nbreaks", "{\"a\": 1}"}
	for _, p := range payloads {
		tp.message(Down, KindText, []byte(p))
		tp.message(Up, KindBinary, []byte(p))
	}
	c, err := ReadCassette(&file)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range c.Events[2:] {
		if want := payloads[i/2]; string(e.Payload()) != want {
			t.Errorf("event %d: %q, want %q", i, e.Payload(), want)
		}
	}
	if e := c.Events[0]; e.Query != "model=nova-3" || e.Method != "GET" {
		t.Errorf("opened with %+v", e)
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// FuzzReadCassette: nothing that is read makes the reader or a replay fall over, and
// what is read can be written and read again.
func FuzzReadCassette(f *testing.F) {
	f.Add([]byte(head + opened + posted))
	f.Add([]byte(head + opened + `{"t":9,"conn":1,"vendor":"deepgram","dir":"down","kind":"close","status":1006,"b64":"AAE="}`))
	f.Add([]byte(head + strings.Replace(opened, "101", "401", 1)))
	f.Add([]byte(`{"kalami_cassette":2}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := ReadCassette(bytes.NewReader(in))
		if err != nil {
			if !strings.Contains(err.Error(), "line ") {
				t.Errorf("error %q names no line", err)
			}
			return
		}
		p := NewReplay(c, ReplayOptions{})
		for _, left := range p.Left() {
			if left == "" {
				t.Error("a take without a name")
			}
		}
		p.Close()
		out := []byte(head)
		for i := range c.Events {
			line, err := cassetteLine(&c.Events[i])
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, line...)
		}
		again, err := ReadCassette(bytes.NewReader(out))
		if err != nil {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
		if a, b := mustJSON(c.Events), mustJSON(again.Events); !bytes.Equal(a, b) {
			t.Errorf("read %s\nagain %s", a, b)
		}
	})
}

func TestCredentialsAreRemoved(t *testing.T) {
	const key = "sk-canary-0123456789"
	r := httptest.NewRequest("GET", "/v1/listen?model=nova-3&Authorization=Bearer%20"+key+"&xi-api-key=short&token=t&keyterm="+key, nil)
	r.Header.Set("Sec-WebSocket-Protocol", "token, another-secret-key")
	r.Header.Set("Content-Type", "text/"+key)
	r.Header.Set("X-Api-Key", "third-secret-key")
	s := newScrubber(r)
	if got := s.query(r); got != "keyterm=%5Bremoved%5D&model=nova-3" {
		t.Errorf("query %q", got)
	}
	if got := s.headers(r.Header); !reflect.DeepEqual(got, map[string]string{"content-type": "text/[removed]"}) {
		t.Errorf("headers %v", got)
	}
	for in, want := range map[string]string{
		`{"text":" ","xi_api_key":"unseen"}`:                         `{"text":" "}`,
		`{"a":[{"Authorization":"unseen","n":1.50}],"b":"<>"}`:       `{"a":[{"n":1.50}],"b":"<>"}`,
		`{"xi_api\u005fkey":"unseen"}`:                               `{}`,
		`{"b":1,  "a":"the key is \"api_key\""}`:                     `{"b":1,  "a":"the key is \"api_key\""}`,
		`{"key":"word","token":"word"}`:                              `{"key":"word","token":"word"}`,
		`not JSON: xi_api_key`:                                       `not JSON: xi_api_key`,
		`{"error":"wrong key ` + key + `"}`:                          `{"error":"wrong key [removed]"}`,
		"another-secret-key or third-secret-key, sk-canary-01234567": "[removed] or [removed], sk-canary-01234567",
	} {
		if got := string(s.payload([]byte(in))); got != want {
			t.Errorf("%s\nbecame %s\nwant   %s", in, got, want)
		}
		if json.Valid([]byte(in)) && !json.Valid(s.payload([]byte(in))) {
			t.Errorf("%s is no JSON any more", in)
		}
	}
}
