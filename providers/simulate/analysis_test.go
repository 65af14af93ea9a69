package simulate

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"kalami/session/learn"
)

// tired is a turn of the Spanish script with a mistake in it.
var tired = learn.Reviewed{
	Language: "es", NativeLanguage: "en", Level: learn.A2,
	Learner: learn.Message{Content: "yo soy muy cansado"},
	Answer:  "Vaya, está usted muy cansado. Hoy tenemos sopa de verduras.",
}

// askForm is a request for an analysis of a turn as each vendor takes it.
func askForm(t *testing.T, vendor Vendor, r learn.Reviewed, schema json.RawMessage) (path, body string) {
	t.Helper()
	type m = map[string]any
	q := m{"model": "x"}
	user := m{"role": "user", "content": learn.AnalysisMaterial(r)}
	if vendor == Anthropic {
		path = "/v1/messages"
		q["max_tokens"], q["system"], q["messages"] = 900, learn.AnalysisInstruction(r), []m{user}
		q["output_config"] = m{"format": m{"type": "json_schema", "schema": schema}}
	} else {
		path = "/v1/chat/completions"
		q["messages"] = []m{{"role": "system", "content": learn.AnalysisInstruction(r)}, user}
		q["response_format"] = m{"type": "json_schema", "json_schema": m{"name": "form", "strict": true, "schema": schema}}
	}
	return path, string(mustJSON(q))
}

// formAnswer takes the text out of a vendor's whole answer.
func formAnswer(t *testing.T, vendor Vendor, body string) string {
	t.Helper()
	got := decode(t, body)
	text, _ := at(got, "content", 0, "text").(string)
	if vendor == OpenAI {
		text, _ = at(got, "choices", 0, "message", "content").(string)
	}
	return text
}

// What the script knows of a turn comes back in the form that was asked for, from
// either vendor, and so does its ignorance of other turns.
func TestAnalysisOfATurn(t *testing.T) {
	_, url := serve(t, Options{})
	schema := compile(t, learn.AnalysisSchema())
	for _, vendor := range []Vendor{Anthropic, OpenAI} {
		for said, corrections := range map[string]int{tired.Learner.Content: 1, "Hola, ¿qué tal?": 0} {
			turn := tired
			turn.Learner.Content = said
			path, ask := askForm(t, vendor, turn, learn.AnalysisSchema())
			res := post(t, url+path, ask, anthropicHeaders...)
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("%s: %s %s, %v", vendor, res.Status, body, err)
			}
			text := formAnswer(t, vendor, string(body))
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
			if err != nil {
				t.Fatalf("%s answered %q", vendor, text)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s: %v", vendor, err)
			}
			got, err := learn.ReadAnalysis([]byte(text), turn)
			if err != nil || len(got.Corrections) != corrections || len(got.NewWords) != 1 || !got.Understood {
				t.Errorf("%s, %q: %+v, %v", vendor, said, got, err)
			}
		}
	}
}

func compile(t *testing.T, schema json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(schema)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("schema.json")
}

// A form that the simulator has never seen is answered with a value that fits it.
func TestAnalysisOfAnotherForm(t *testing.T) {
	_, url := serve(t, Options{})
	schema := json.RawMessage(`{"type":"object","additionalProperties":false,"required":["title","level","steps","count"],"properties":{
		"title":{"type":"string"},"level":{"type":"string","enum":["low","high"]},"count":{"type":"integer"},
		"steps":{"type":"array","items":{"type":"string"}}}}`)
	path, ask := askForm(t, OpenAI, tired, schema)
	body, _ := io.ReadAll(post(t, url+path, ask).Body)
	if got := formAnswer(t, OpenAI, string(body)); got != `{"count":0,"level":"low","steps":[],"title":""}` {
		t.Errorf("answered %s", body)
	}
}

// Schemas that the vendors' strict modes refuse are refused.
func TestAnalysisRefusesLooseSchemas(t *testing.T) {
	_, url := serve(t, Options{})
	for name, schema := range map[string]string{
		"no object":        `"text"`,
		"another type":     `{"type":"array","items":{"type":"string"}}`,
		"open":             `{"type":"object","properties":{},"required":[]}`,
		"not all required": `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}},"required":[]}`,
		"open inside":      `{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":{"type":"array","items":{"type":"object"}}}}`,
	} {
		for _, vendor := range []Vendor{Anthropic, OpenAI} {
			path, ask := askForm(t, vendor, tired, json.RawMessage(schema))
			if res := post(t, url+path, ask, anthropicHeaders...); res.StatusCode != 400 {
				t.Errorf("%s, %s: %s", vendor, name, res.Status)
			}
		}
	}
}
