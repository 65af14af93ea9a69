package simulate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"kalami/providers/simulate"
)

func TestDeepgramFaults(t *testing.T) {
	for _, test := range []struct {
		fault simulate.Fault
		flux  bool
		code  websocket.StatusCode // -1: no close
		last  string               // type of the last message
	}{
		{simulate.Fault{Kind: simulate.FaultCut, After: 2}, false, -1, "Results"},
		{simulate.Fault{Kind: simulate.FaultEnd, After: 2}, false, websocket.StatusNormalClosure, "Results"},
		{simulate.Fault{Kind: simulate.FaultEnd, After: 2}, true, websocket.StatusNoStatusRcvd, "TurnInfo"},
		{simulate.Fault{Kind: simulate.FaultClose, After: 2}, false, websocket.StatusInternalError, "Metadata"},
		{simulate.Fault{Kind: simulate.FaultClose, After: 2, Status: 4000, Message: "why"}, true, 4000, "TurnInfo"},
		{simulate.Fault{Kind: simulate.FaultStreamError, After: 2}, false, websocket.StatusInternalError, "Error"},
		{simulate.Fault{Kind: simulate.FaultStreamError, After: 2}, true, websocket.StatusInternalError, "Error"},
		{simulate.Fault{Kind: simulate.FaultUnknown, After: 2}, false, websocket.StatusNormalClosure, "Metadata"},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := keyed(simulate.Options{})
				test.fault.Vendor = simulate.Deepgram
				sim.Inject(test.fault)
				path, q := "/v1/listen", novaParams("vad_events", "")
				if test.flux {
					path, q = "/v2/listen", fluxParams()
				}
				e := wire(t, sim, path, q)
				for frame := range slices.Chunk(fixture(t, "en-01-clean"), 320) {
					if e.Write(t.Context(), websocket.MessageBinary, pack(frame)) != nil {
						break
					}
				}
				_ = e.Write(t.Context(), websocket.MessageText, []byte(`{"type":"CloseStream"}`))
				<-e.over
				if code := websocket.CloseStatus(e.err); code != test.code {
					t.Errorf("ended by %v, want %v", e.err, test.code)
				}
				if last := e.got[len(e.got)-1]; last.Type != test.last {
					t.Errorf("last message %+v, want %s", last, test.last)
				}
			})
		})
	}
}

func TestRecordedAudio(t *testing.T) {
	sim := keyed(simulate.Options{})
	web := httptest.NewServer(sim)
	defer web.Close()
	defer sim.Close()
	pcm := fixture(t, "en-01-clean")
	post := func(q, contentType string, body io.Reader) (string, int) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/v1/listen?"+q, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Token "+deepgramKey)
		r.Header.Set("Content-Type", contentType)
		b, resp := fetch(t, r)
		return b, resp.StatusCode
	}
	raw := func(pcm []int16) io.Reader { return strings.NewReader(string(pack(pcm))) }
	for _, test := range []struct {
		name, q, kind string
		body          io.Reader
		status        int
		want, without string
	}{
		{"raw", "model=nova-3&encoding=linear16&sample_rate=16000&punctuate=true", "audio/l16", raw(pcm), 200, `"transcript":"I would like to book a table for two people at eight o'clock."`, "utterances"},
		{"utterances", "model=nova-3&encoding=linear16&sample_rate=16000&utterances=true&detect_language=true", "audio/l16", raw(slices.Concat(pcm, pcm)), 200, `"detected_language":"en"`, `"transcript":""`},
		{"noise", "encoding=linear16&sample_rate=16000", "audio/l16", raw(fixture(t, "xx-01-noise-only")), 200, `"transcript":""`, `"word"`},
		{"callback", "encoding=linear16&sample_rate=16000&callback=http://127.0.0.1/", "audio/l16", raw(pcm), 200, `{"request_id":`, "results"},
		{"no audio", "model=nova-3", "audio/wav", strings.NewReader("RIFF nonsense"), 400, "corrupt or unsupported data", "results"},
		{"nothing", "model=nova-3&encoding=linear16&sample_rate=16000", "audio/l16", strings.NewReader(""), 400, "corrupt or unsupported data", "results"},
		{"by address", "model=nova-3", "application/json", strings.NewReader(`{"url":"http://127.0.0.1/"}`), 400, "REMOTE_CONTENT_ERROR", "results"},
		{"flux", "model=flux-general-en", "audio/wav", raw(pcm), 400, "V2_MODEL_ON_V1_LISTEN_ENDPOINT", "results"},
	} {
		body, status := post(test.q, test.kind, test.body)
		if status != test.status || !strings.Contains(body, test.want) || strings.Contains(body, test.without) {
			t.Errorf("%s: %d %.300s", test.name, status, body)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/v2/listen", raw(pcm))
	if err != nil {
		t.Fatal(err)
	}
	if _, resp := fetch(t, r); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /v2/listen: %d, want 405", resp.StatusCode)
	}
}
