package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kalami/providers"
)

// A text becomes a whole clip, with its real length.
func TestSynthesize(t *testing.T) {
	h, access, f := speechHouse(t)
	mp3 := recorded(t, "speech-cbr.mp3")
	f.clip = wholeClip(mp3)
	r := h.as(access, "POST", "/speech/synthesize?provider=openai", `{"text":"  Hola.\n","language":"es_MX","voice_id":"coral","style":"slow","speed":0.75,"new":1}`).want(http.StatusOK)
	seconds, _ := r.json()["duration_seconds"].(float64)
	if seconds < 3.3 || seconds > 3.6 {
		t.Errorf("the clip lasts %v s, want about 3.5", seconds)
	}
	r.same(fmt.Sprintf(`{"audio_base64":%q,"format":"mp3","duration_seconds":%v}`, base64.StdEncoding.EncodeToString(mp3), seconds))
	h.as(access, "POST", "/api/speech/synthesize", `{"text":"Hola.","language":null,"voice_id":null,"style":null,"speed":null}`).want(http.StatusOK)
	if got, want := f.calls(), []string{`speak "openai" "Hola.", "es-MX" "coral" "slow" 0.75`, `speak "" "Hola.", "" "" "" 0`}; !slices.Equal(got, want) {
		t.Errorf("asked %q, want %q", got, want)
	}
	f.clip = wholeClip([]byte("ID3 whose frames nobody understands"))
	h.as(access, "POST", "/speech/synthesize", `{"text":"Hola."}`).want(http.StatusOK).
		same(`{"audio_base64":"` + base64.StdEncoding.EncodeToString([]byte("ID3 whose frames nobody understands")) + `","format":"mp3","duration_seconds":null}`)
	// A whole clip is whole, or none.
	f.clip = func(context.Context) (providers.Clip, error) {
		return providers.Clip{ReadCloser: io.NopCloser(io.MultiReader(strings.NewReader("ID3"), failing{cut})), Vendor: "fake"}, nil
	}
	h.as(access, "POST", "/speech/synthesize", `{"text":"Hola."}`).refusal(http.StatusServiceUnavailable, "unavailable")
}

// cut is how a vendor's clip breaks off.
var cut = &providers.Error{Kind: providers.Unavailable, Vendor: "fake", Op: "synthesize", Err: io.ErrUnexpectedEOF}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Whatever is wrong with a request for a clip is named, on every route that speaks.
func TestSynthesizeRefusesBadInput(t *testing.T) {
	h, access, f := speechHouse(t)
	for body, fields := range map[string][]string{
		`{}`:            {"text"},
		`{"text":null}`: {"text"},
		`{"text":""}`:   {"text"},
		`{"text":"  "}`: {"text"},
		`{"text":"?!"}`: {"text"},
		`{"text":17}`:   {"text"},
		`{"text":"` + strings.Repeat("é", 4097) + `"}`: {"text"},
		`{"text":"a\u0000b"}`:                          {"text"},
		`{"text":"a","language":"klingon"}`:            {"language"},
		`{"text":"a","language":["es"]}`:               {"language"},
		`{"text":"a","voice_id":"../../users"}`:        {"voice_id"},
		`{"text":"a","style":"angry"}`:                 {"style"},
		`{"text":"a","speed":0}`:                       {"speed"},
		`{"text":"a","speed":0.49}`:                    {"speed"},
		`{"text":"a","speed":2.01}`:                    {"speed"},
		`{"text":"a","speed":"fast"}`:                  {"speed"},
		`{"speed":9,"style":"x","language":"!"}`:       {"text", "speed", "style", "language"},
		`not JSON`:                                     {"body"},
		`[]`:                                           {"body"},
	} {
		for _, path := range []string{"/speech/synthesize", "/speech/synthesize/stream"} {
			h.as(access, "POST", path, body).invalid(fields...)
		}
	}
	for query, fields := range map[string][]string{
		"":                           {"text"},
		"text=":                      {"text"},
		"text=%00a":                  {"text"},
		"text=a&text=b":              {"text", "text"},
		"text=a&language=e":          {"language"},
		"text=a&style=angry":         {"style"},
		"text=a&speed=3":             {"speed"},
		"text=a&speed=NaN":           {"speed"},
		"text=a&voice_id=%2e%2e%2fx": {"voice_id"},
	} {
		for _, path := range []string{"/speech/speak?", "/speech/test-speak?"} {
			h.as(access, "GET", path+query, nil).invalid(fields...)
		}
	}
	for _, r := range []reply{
		h.as(access, "POST", "/speech/synthesize?provider=acme", `{"text":"a"}`),
		h.as(access, "POST", "/speech/synthesize/stream?provider=whisper", `{"text":"a"}`),
		h.as(access, "GET", "/speech/speak?text=a&provider=acme", nil),
	} {
		if e := r.refusal(http.StatusBadRequest, "invalid_provider"); e.Detail != "Invalid provider. Use 'elevenlabs' or 'openai'." {
			t.Errorf("an unknown provider: %q", e.Detail)
		}
	}
	h.as(access, "POST", "/speech/synthesize", "text=a", "Content-Type", "application/x-www-form-urlencoded").
		refusal(http.StatusUnsupportedMediaType, "unsupported_media_type")
	if got := f.calls(); len(got) > 0 {
		t.Errorf("vendors were asked: %q", got)
	}
}

// pipedClip is a clip that the test makes piece by piece.
type pipedClip struct {
	in     *io.PipeWriter
	closed chan struct{} // closed when whoever got the clip closes it
	clip   providers.Clip
	ctx    chan context.Context
}

func newPipedClip() *pipedClip {
	out, in := io.Pipe()
	p := &pipedClip{in: in, closed: make(chan struct{}), ctx: make(chan context.Context, 1)}
	p.clip = providers.Clip{ReadCloser: pipedReader{out, p}, Vendor: "fake"}
	return p
}

type pipedReader struct {
	*io.PipeReader
	p *pipedClip
}

func (r pipedReader) Close() error {
	close(r.p.closed)
	return r.PipeReader.Close()
}

// streamed asks a real server for a clip and returns its answer, unread.
func streamed(t *testing.T, h *house, access string, f *fakeSpeech, p *pipedClip, route string) *http.Response {
	t.Helper()
	f.clip = func(ctx context.Context) (providers.Clip, error) {
		context.AfterFunc(ctx, func() { _ = p.in.CloseWithError(context.Cause(ctx)) }) // as the contract says
		return p.clip, nil
	}
	web := httptest.NewServer(h.server)
	t.Cleanup(web.Close)
	method, path, _ := strings.Cut(route, " ")
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(`{"text":"Hola."}`)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// The first bytes of a stream leave while the last are not made, on every route that
// streams; compression, which would hold them back, is asked for and not used.
func TestStreamsBeforeTheEndIsMade(t *testing.T) {
	for _, route := range []string{"POST /speech/synthesize/stream", "GET /speech/speak?text=Hola.", "GET /api/speech/test-speak?text=Hola."} {
		h, access, f := speechHouse(t)
		p := newPipedClip()
		go func() { _, _ = p.in.Write([]byte("ID3 first")) }()
		resp := streamed(t, h, access, f, p, route) //nolint:bodyclose // the cleanup of streamed closes it
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "audio/mpeg" || resp.ContentLength != -1 || resp.Uncompressed {
			t.Fatalf("%s: %s %v", route, resp.Status, resp.Header)
		}
		first := make([]byte, 9)
		if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "ID3 first" {
			t.Fatalf("%s: read %q, %v", route, first, err)
		}
		// Only now is the rest made.
		go func() {
			_, _ = p.in.Write([]byte(" and last"))
			_ = p.in.Close()
		}()
		if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != " and last" {
			t.Errorf("%s: then %q, %v", route, rest, err)
		}
		<-p.closed
	}
}

// A clip that breaks off is seen to be cut, and leaves a line in the log.
func TestCutStreamIsSeen(t *testing.T) {
	h, access, f := speechHouse(t)
	p := newPipedClip()
	go func() {
		_, _ = p.in.Write([]byte("ID3 first"))
		_ = p.in.CloseWithError(cut)
	}()
	resp := streamed(t, h, access, f, p, "POST /speech/synthesize/stream") //nolint:bodyclose // the cleanup of streamed closes it
	got, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || string(got) != "ID3 first" {
		t.Errorf("read %q, %v; want what was made, and then that it was cut", got, err)
	}
	<-p.closed
}

// A listener who leaves ends the vendor's call.
func TestListenerLeaves(t *testing.T) {
	h, access, f := speechHouse(t)
	p := newPipedClip()
	go func() { _, _ = p.in.Write([]byte("ID3 first")) }()
	resp := streamed(t, h, access, f, p, "POST /speech/synthesize/stream") //nolint:bodyclose // the cleanup of streamed closes it
	if _, err := io.ReadFull(resp.Body, make([]byte, 9)); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	<-p.closed // for ever, if the clip went on
}

// HEAD costs nothing.
func TestHeadSpeaksNothing(t *testing.T) {
	h, access, f := speechHouse(t)
	r := h.as(access, "HEAD", "/speech/speak?text=Hola.", nil).want(http.StatusOK)
	if r.header.Get("Content-Type") != "audio/mpeg" || len(f.calls()) > 0 {
		t.Errorf("HEAD answered %v and asked vendors", r.header)
	}
}

// The request's shape is what the description says of it.
func TestClipRequestIsDescribed(t *testing.T) {
	h, _, _ := speechHouse(t)
	var d struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]map[string]any
			}
		}
	}
	if err := json.Unmarshal(h.do("GET", "/openapi.json", nil).want(http.StatusOK).body, &d); err != nil {
		t.Fatal(err)
	}
	for name, schema := range d.Components.Schemas {
		if speed, ok := schema.Properties["speed"]; ok && schema.Properties["voice_id"] != nil && schema.Properties["style"] != nil {
			if speed["minimum"] != minClipSpeed || speed["maximum"] != maxClipSpeed {
				t.Errorf("%s says of speed %v", name, speed)
			}
			return
		}
	}
	t.Error("no schema has text, style and speed")
}
