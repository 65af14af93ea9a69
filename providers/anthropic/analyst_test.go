package anthropic_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestAnalystConforms(t *testing.T) {
	providertest.Analyst(t, providertest.AnalystUnderTest{
		Vendor:       simulate.Anthropic,
		SpentMessage: "enforced_spend_limit_reached",
		New: func(t *testing.T, at providertest.AnalystEndpoint) providers.Analyst {
			a, err := anthropic.NewAnalyst(anthropic.AnalystOptions{Key: at.Key, BaseURL: at.BaseURL, Timeout: at.Timeout})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(a.Close)
			return a
		},
	})
}

// question is the smallest there is.
var question = providers.Question{System: "s", Prompt: "p", Name: "q", MaxTokens: 7,
	Schema: json.RawMessage(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)}

// The question goes out as structured outputs want it.
func TestAnalystSends(t *testing.T) {
	c := &canned{header: http.Header{"Content-Type": {"application/json"}},
		body: `{"model":"claude-y","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"{}"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":2}}`}
	a, err := anthropic.NewAnalyst(anthropic.AnalystOptions{Key: "k", Model: "claude-x", Transport: c})
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Ask(t.Context(), question)
	if err != nil || string(got.JSON) != "{}" || got.Model != "claude-y" || got.RequestID != "req_1" || got.Usage.InputTokens != 3 {
		t.Errorf("answer %+v, %v", got, err)
	}
	const want = `{"max_tokens":7,"messages":[{"content":[{"text":"p","type":"text"}],"role":"user"}],"model":"claude-x",` +
		`"output_config":{"format":{"schema":{"additionalProperties":false,"properties":{},"required":[],"type":"object"},"type":"json_schema"}},` +
		`"system":[{"text":"s","type":"text"}]}`
	var sent any
	if err := json.Unmarshal(c.sent, &sent); err != nil {
		t.Fatal(err)
	}
	if b, _ := json.Marshal(sent); string(b) != want {
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
		"a refusal":        {`{"content":[{"type":"text","text":"{}"}],"stop_reason":"refusal"}`, providers.Invalid, "refusal"},
		"too long":         {`{"content":[{"type":"text","text":"{}"}],"stop_reason":"max_tokens"}`, providers.Unavailable, "cut_off"},
		"prose":            {`{"content":[{"type":"text","text":"Gladly!"}],"stop_reason":"end_turn"}`, providers.Unavailable, "not_json"},
		"nothing":          {`{}`, providers.Unavailable, "not_json"},
		"another protocol": {`[]`, providers.Unavailable, ""},
	} {
		a, err := anthropic.NewAnalyst(anthropic.AnalystOptions{Key: "k",
			Transport: &canned{header: http.Header{"Content-Type": {"application/json"}}, body: c.body}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Ask(t.Context(), question)
		e, ok := err.(*providers.Error)
		if !ok || e.Kind != c.kind || e.Detail != c.detail || e.RequestID != "req_1" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := anthropic.NewAnalyst(anthropic.AnalystOptions{}); err == nil {
		t.Error("an analyst without a key")
	}
}
