package openai_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestAnalystConforms(t *testing.T) {
	for _, legacy := range []bool{false, true} {
		providertest.Analyst(t, providertest.AnalystUnderTest{
			Vendor:       simulate.OpenAI,
			SpentMessage: "insufficient_quota",
			New: func(t *testing.T, at providertest.AnalystEndpoint) providers.Analyst {
				a, err := openai.NewAnalyst(openai.AnalystOptions{
					Endpoint: openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"}, LegacyMaxTokens: legacy, Timeout: at.Timeout})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(a.Close)
				return a
			},
		})
	}
}

// askEngine asks an engine that gives one answer to everything, and returns what it was sent.
func askEngine(t *testing.T, answer string) (got providers.Answer, sent []byte, err error) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	defer web.Close()
	a, err := openai.NewAnalyst(openai.AnalystOptions{Endpoint: openai.Endpoint{BaseURL: web.URL}, Model: "own"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	got, err = a.Ask(t.Context(), providers.Question{System: "s", Prompt: "p", Name: "q", MaxTokens: 7,
		Schema: json.RawMessage(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)})
	return got, sent, err
}

// The question goes out as the strict mode wants it.
func TestAnalystSends(t *testing.T) {
	got, sent, err := askEngine(t, `{"choices":[{"message":{"content":" {} "},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`)
	if err != nil || string(got.JSON) != " {} " || got.Model != "own" || got.Usage.InputTokens != 3 {
		t.Errorf("answer %+v, %v", got, err)
	}
	const want = `{"max_completion_tokens":7,"messages":[{"content":"s","role":"system"},{"content":"p","role":"user"}],"model":"own",` +
		`"response_format":{"json_schema":{"name":"q","schema":{"additionalProperties":false,"properties":{},"required":[],"type":"object"},"strict":true},"type":"json_schema"}}`
	var body any
	if err := json.Unmarshal(sent, &body); err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(body); string(b) != want {
		t.Errorf("sent %s\nwant %s", b, want)
	}
}

// Answers that look whole and are not.
func TestAnalystDoubts(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		kind   providers.Kind
		detail string
	}{
		"a refusal":        {`{"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]}`, providers.Invalid, "refusal"},
		"a filter":         {`{"choices":[{"message":{"content":"{}"},"finish_reason":"content_filter"}]}`, providers.Invalid, "content_filter"},
		"too long":         {`{"choices":[{"message":{"content":"{}"},"finish_reason":"length"}]}`, providers.Unavailable, "cut_off"},
		"prose":            {`{"choices":[{"message":{"content":"Gladly!"},"finish_reason":"stop"}]}`, providers.Unavailable, "not_json"},
		"nothing":          {`{"choices":[]}`, providers.Unavailable, "empty_answer"},
		"another protocol": {`[]`, providers.Unavailable, ""},
	} {
		_, _, err := askEngine(t, c.body)
		e, ok := err.(*providers.Error)
		if !ok || e.Kind != c.kind || e.Detail != c.detail {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openai.NewAnalyst(openai.AnalystOptions{}); err == nil {
		t.Error("an analyst without a key for OpenAI's own address")
	}
}
