package simulate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"

	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestDeepgramRefusals(t *testing.T) {
	sim := keyed(simulate.Options{})
	web := httptest.NewServer(sim)
	defer web.Close()
	defer sim.Close()
	flux := func(change ...string) url.Values { return changed(fluxParams(), change) }
	for _, test := range []struct {
		name   string
		path   string
		params url.Values
		auth   string
		status int
		want   string // in the body
	}{
		{"no key", "/v1/listen", novaParams(), "", 401, `"err_code":"INVALID_AUTH"`},
		{"another key", "/v1/listen", novaParams(), "Token nonsense", 401, `Invalid credentials`},
		{"another scheme", "/v1/listen", novaParams(), "Basic " + deepgramKey, 401, `INVALID_AUTH`},
		{"another key for flux", "/v2/listen", flux(), "Token nonsense", 401, `"category":"INVALID_AUTH"`},
		{"flux on v1", "/v1/listen", novaParams("model", "flux-general-en"), "", 400, `"err_code":"V2_MODEL_ON_V1_LISTEN_ENDPOINT"`},
		{"nova on v2", "/v2/listen", flux("model", "nova-3"), "", 400, `model: must be flux-general-en or flux-general-multi`},
		{"unknown encoding", "/v1/listen", novaParams("encoding", "mp3"), "", 400, `encoding: unknown`},
		{"encoding that cannot be heard here", "/v1/listen", novaParams("encoding", "opus"), "", 400, `simulator can only listen`},
		{"raw audio without a rate", "/v1/listen", novaParams("sample_rate", ""), "", 400, `sample_rate: is required for raw audio`},
		{"a rate without an encoding", "/v1/listen", novaParams("encoding", ""), "", 400, `encoding: must be given`},
		{"a rate that is no number", "/v1/listen", novaParams("sample_rate", "16k"), "", 400, `sample_rate`},
		{"a flag that is none", "/v1/listen", novaParams("vad_events", "1"), "", 400, `vad_events`},
		{"a language without a script", "/v1/listen", novaParams("language", "tlh"), "", 400, `No such model/language/tier`},
		{"utterance_end_ms too short", "/v1/listen", novaParams("utterance_end_ms", "500"), "", 400, `utterance_end_ms`},
		{"utterance_end_ms without interims", "/v1/listen", novaParams("interim_results", ""), "", 400, `needs interim_results`},
		{"key terms with an older model", "/v1/listen", novaParams("model", "nova-2", "keyterm", "x"), "", 400, `keyterm`},
		{"a rate that flux lacks", "/v2/listen", flux("sample_rate", "22050"), "", 400, `"category":"INVALID_QUERY_PARAMETER"`},
		{"a hint for one language", "/v2/listen", flux("language_hint", "en"), "", 400, `language_hint`},
		{"a hint that flux lacks", "/v2/listen", flux("model", "flux-general-multi", "language_hint", "pl"), "", 400, `language_hint`},
		{"eager above the end", "/v2/listen", flux("eager_eot_threshold", "0.8", "eot_threshold", "0.6"), "", 400, `eager_eot_threshold`},
		{"a threshold that is none", "/v2/listen", flux("eot_threshold", "NaN"), "", 400, `eot_threshold`},
		{"no socket", "/v1/listen", novaParams(), "", http.StatusUpgradeRequired, `WebSocket`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+test.path+"?"+test.params.Encode(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.status != 401 {
				test.auth = "token " + deepgramKey
			}
			r.Header.Set("Authorization", test.auth)
			body, resp := fetch(t, r)
			if resp.StatusCode != test.status || !strings.Contains(body, test.want) {
				t.Errorf("%d %s, want %d with %s", resp.StatusCode, body, test.status, test.want)
			}
			if id := resp.Header.Get("dg-request-id"); id == "" || test.status != http.StatusUpgradeRequired && (!strings.Contains(body, id) || resp.Header.Get("dg-error") == "") {
				t.Errorf("headers %v, body %s", resp.Header, body)
			}
		})
	}
}

func fetch(t *testing.T, r *http.Request) (string, *http.Response) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), resp
}

// Browsers cannot set headers; they send the key as a subprotocol.
func TestDeepgramKeyAsSubprotocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := keyed(simulate.Options{})
		t.Cleanup(sim.Close)
		c, _, err := websocket.Dial(t.Context(), "http://deepgram.test/v1/listen?"+novaParams().Encode(),
			&websocket.DialOptions{HTTPClient: providertest.Serve(t, sim), Subprotocols: []string{"token", deepgramKey}})
		if err != nil {
			t.Fatal(err)
		}
		_ = c.CloseNow()
	})
}
