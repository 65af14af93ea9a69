package simulate

import (
	"encoding/json"
	"net/url"
	"testing"
)

// checkOutbox asserts that whatever a client says, what waits to be sent is
// bounded and is JSON.
func checkOutbox(t *testing.T, l *liveSocket, said []byte) {
	t.Helper()
	if len(l.out) > 8 {
		t.Errorf("%q makes %d messages", said, len(l.out))
	}
	for i, o := range l.out {
		if o.msg == nil {
			if i != len(l.out)-1 {
				t.Errorf("%q: the close is not the last", said)
			}
			if len(o.reason) > 123 {
				t.Errorf("%q: a reason of %d bytes does not fit into a close", said, len(o.reason))
			}
			continue
		}
		if !json.Valid(mustJSON(o.msg)) {
			t.Errorf("%q makes a message that is no JSON", said)
		}
	}
}

func FuzzNovaControl(f *testing.F) {
	for _, m := range []string{`{"type":"KeepAlive"}`, `{"type":"Finalize","channel":0}`, `{"type":"CloseStream"}`, `{"type":7}`, `{`, `null`, `[]`} {
		f.Add([]byte(m), []byte{1, 2, 3})
	}
	s := New(Options{Engine: "none"})
	defer s.Close()
	f.Fuzz(func(t *testing.T, text, audio []byte) {
		for _, params := range []url.Values{{"encoding": {"mulaw"}, "sample_rate": {"8000"}, "interim_results": {"true"}}, {}} {
			q, wrong := s.novaQuery(params)
			if wrong != nil {
				t.Fatal(wrong)
			}
			l := &liveSocket{s: s, ctx: s.ctx}
			n := &novaLive{l: l, q: q}
			n.open()
			if len(audio) > 0 && len(audio) < 8000 { // a second at most, so that results stay few
				n.audio(audio)
			}
			n.control(text)
			checkOutbox(t, l, text)
		}
	})
}

func FuzzFluxControl(f *testing.F) {
	for _, m := range []string{`{"type":"CloseStream"}`, `{"type":"ForceEndTurn"}`, `{"type":"KeepAlive"}`, `{"type":"Configure"}`,
		`{"type":"Configure","thresholds":{"eager_eot_threshold":0.4,"eot_threshold":0.8,"eot_timeout_ms":600},"keyterms":["a"],"language_hints":["es"]}`,
		`{"type":"Configure","thresholds":[]}`, `{`, `"x"`} {
		f.Add([]byte(m))
	}
	s := New(Options{Engine: "none"})
	defer s.Close()
	f.Fuzz(func(t *testing.T, text []byte) {
		q, wrong := s.fluxQuery(url.Values{"model": {"flux-general-multi"}, "encoding": {"linear16"}, "sample_rate": {"16000"}})
		if wrong != nil {
			t.Fatal(wrong)
		}
		l := &liveSocket{s: s, ctx: s.ctx}
		x := &fluxLive{l: l, q: q, ear: newHearing(q.format.rate, q.script)}
		x.control(text)
		checkOutbox(t, l, text)
		if !x.q.valid() {
			t.Errorf("%q leaves thresholds %+v", text, x.q.fluxThresholds)
		}
	})
}

// Parameters come from anybody.
func FuzzListenQuery(f *testing.F) {
	f.Add("model=nova-3&encoding=linear16&sample_rate=16000&channels=2&endpointing=false")
	f.Add("model=flux-general-multi&language_hint=es&eot_threshold=1&eager_eot_threshold=NaN&sample_rate=-1")
	s := New(Options{Engine: "none"})
	defer s.Close()
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		if q, wrong := s.novaQuery(v); wrong == nil {
			(&novaLive{l: &liveSocket{s: s}, q: q}).open()
		}
		if q, wrong := s.fluxQuery(v); wrong == nil && (!q.valid() || q.format.channels != 1) {
			t.Errorf("%q is accepted as %+v", raw, q)
		}
	})
}
