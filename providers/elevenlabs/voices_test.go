package elevenlabs_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync/atomic"
	"testing"

	"kalami/providers"
	"kalami/providers/elevenlabs"
)

// A list with what the package that reads it cannot read is read all the same, once for
// everybody who asks within minutes; a refusal keeps its kind and request id.
func TestVoices(t *testing.T) {
	var asked atomic.Int64
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("request-id", "r-17")
		if r.URL.Path != "/under/v1/voices" || r.Header.Get("Xi-Api-Key") != "right" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		asked.Add(1)
		_, _ = io.WriteString(w, `{"voices":[
			{"voice_id":"a","name":"Ann","labels":{"gender":"Female","language":"en-US","age":null,"n":1},
			 "sharing":{"disable_at_unix":1700000000},"samples":"none","fine_tuning":[]},
			{"voice_id":"b","name":"Bo","labels":null,"settings":7}]}`)
	}))
	defer web.Close()
	s := newSynthesizer(t, elevenlabs.SynthesizerOptions{Key: "right", BaseURL: web.URL + "/under"})
	want := []providers.VoiceInfo{
		{ID: "a", Name: "Ann", Language: "en", Gender: "female", Labels: map[string]string{"gender": "Female", "language": "en-US"}, Vendor: "elevenlabs"},
		{ID: "b", Name: "Bo", Labels: map[string]string{}, Vendor: "elevenlabs"},
	}
	for range 3 {
		if got, err := s.Voices(t.Context()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("voices %+v, %v; want %+v", got, err, want)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the vendor was asked %d times", n)
	}
	wrong := newSynthesizer(t, elevenlabs.SynthesizerOptions{Key: "wrong", BaseURL: web.URL + "/under"})
	_, err := wrong.Voices(t.Context())
	if e, ok := errors.AsType[*providers.Error](err); !ok || e.Kind != providers.Denied || e.RequestID != "r-17" {
		t.Errorf("a wrong key: %v", err)
	}
}

// Without the transport that knows where requests belong, none is made: it would take the
// key to an address that is not the configured one.
func TestVoicesStayAtHome(t *testing.T) {
	before := http.DefaultTransport
	http.DefaultTransport = http.NewFileTransport(http.Dir(t.TempDir()))
	t.Cleanup(func() { http.DefaultTransport = before })
	s := newSynthesizer(t, elevenlabs.SynthesizerOptions{Key: "k", BaseURL: "http://127.0.0.1:1"})
	if _, err := s.Voices(t.Context()); providers.KindOf(err) != providers.Unavailable {
		t.Errorf("the request went out: %v", err)
	}
}
