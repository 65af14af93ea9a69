package simulate

import (
	"encoding/json"
	"strings"

	"kalami/providers"
)

// respond returns the simulated tutor's next line, or, when a schema is given, an
// answer in that form.
func (s *Server) respond(c chat, schema json.RawMessage) string {
	if schema != nil {
		return s.analysis(c, schema)
	}
	return s.answer(c)
}

// jsonSchema is what the simulators understand of JSON Schema: as much as the vendors'
// strict modes take.
type jsonSchema struct {
	Type                 string                 `json:"type"`
	Enum                 []any                  `json:"enum"`
	Properties           map[string]*jsonSchema `json:"properties"`
	Required             []string               `json:"required"`
	AdditionalProperties *bool                  `json:"additionalProperties"`
	Items                *jsonSchema            `json:"items"`
}

// checkSchema returns what a vendor's strict mode would object to, or "".
func checkSchema(raw json.RawMessage) string {
	var schema jsonSchema
	if json.Unmarshal(raw, &schema) != nil || schema.Type != "object" {
		return "the schema must be an object of type 'object'"
	}
	return schema.check()
}

func (j *jsonSchema) check() string {
	if j == nil {
		return ""
	}
	if j.Type == "object" {
		if j.AdditionalProperties == nil || *j.AdditionalProperties {
			return "'additionalProperties' is required to be supplied and to be false"
		}
		if len(j.Required) != len(j.Properties) {
			return "'required' is required to be supplied and to be an array including every key in properties"
		}
	}
	for _, inner := range j.Properties {
		if problem := inner.check(); problem != "" {
			return problem
		}
	}
	return j.Items.check()
}

// analysis answers a question of the given schema with what the script knows of the
// turn that stands between <learner> and <answer> marks: its mistakes and its words,
// under the names of turn analyses. A schema that has not those names gets a value that
// is valid and empty.
func (s *Server) analysis(c chat, raw json.RawMessage) string {
	var schema jsonSchema
	if err := json.Unmarshal(raw, &schema); err != nil {
		return "{}" // checked before where it matters
	}
	var asked string
	for _, l := range c.said {
		if l.Role == providers.RoleLearner {
			asked += l.Text + "\n"
		}
	}
	learner, answer := between(asked, "learner"), between(asked, "answer")
	script := s.opt.Scripts[s.language(c.system)]
	corrections, words := []any{}, []any{}
	for _, m := range script.Mistakes {
		if holds(learner, m.Original) {
			corrections = append(corrections, map[string]any{"original": m.Original, "corrected": m.Corrected,
				"category": m.Category, "severity": m.Severity, "explanation": m.Explanation, "confidence": 0.9})
		}
	}
	for _, w := range script.Words {
		if holds(answer, w.Surface) {
			words = append(words, map[string]any{"lemma": w.Lemma, "surface": w.Surface, "pos": w.PartOf,
				"translation": w.Translation, "level": w.Level})
		}
	}
	return string(mustJSON(schema.fill(map[string]any{"understood": true, "corrections": corrections, "new_words": words,
		"hint": "Answer with a whole sentence, and say why.", "translation": "(simulated) " + between(asked, "text")})))
}

// holds says whether a text has a part, in any case.
func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// between returns what stands between a mark and its end.
func between(text, mark string) string {
	_, rest, _ := strings.Cut(text, "<"+mark+">")
	inside, _, _ := strings.Cut(rest, "</"+mark+">")
	return inside
}

// fill makes a value of the schema, with what known has for it and empty elsewhere.
func (j *jsonSchema) fill(known any) any {
	switch j.Type {
	case "object":
		from, _ := known.(map[string]any)
		out := make(map[string]any, len(j.Properties))
		for name, inner := range j.Properties {
			out[name] = inner.fill(from[name])
		}
		return out
	case "array":
		out := []any{}
		from, _ := known.([]any)
		for _, v := range from {
			if j.Items != nil {
				out = append(out, j.Items.fill(v))
			}
		}
		return out
	}
	return j.plain(known)
}

// plain is fill for values that hold no others.
func (j *jsonSchema) plain(known any) any {
	for _, allowed := range j.Enum {
		if allowed == known {
			return known
		}
	}
	if len(j.Enum) > 0 {
		return j.Enum[0]
	}
	switch j.Type {
	case "string":
		text, _ := known.(string)
		return text
	case "boolean":
		yes, _ := known.(bool)
		return yes
	case "number", "integer":
		if n, ok := known.(float64); ok {
			return n
		}
		return 0
	}
	return nil
}
