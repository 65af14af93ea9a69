package gateway

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	validation "github.com/pb33f/libopenapi-validator/errors"
)

// describedBodies are the bodies of an operation that have examples.
type describedBodies struct {
	RequestBody struct{ Content describedContent }
	Responses   map[string]struct{ Content describedContent }
}

type describedContent map[string]struct{ Example json.RawMessage }

// closedSchemas makes every object's schema refuse fields that it does not name, so that a
// forgotten one is found.
func closedSchemas(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			closedSchemas(child)
		}
	case map[string]any:
		if _, ok := node["properties"].(map[string]any); ok && node["type"] == "object" {
			node["additionalProperties"] = false
		}
		for _, child := range node {
			closedSchemas(child)
		}
	}
}

// An example of a body, asked for or answered, is as its schema says, and says all that it says.
func TestDescribedExamples(t *testing.T) {
	body := newHouse(t).do("GET", "/openapi.json", nil).want(http.StatusOK).body
	var described struct {
		Paths map[string]map[string]describedBodies
	}
	var tree any
	if json.Unmarshal(body, &described) != nil || json.Unmarshal(body, &tree) != nil {
		t.Fatal("the description is not JSON")
	}
	closedSchemas(tree)
	closed, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := libopenapi.NewDocument(closed)
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc, config.WithoutSecurityValidation(), config.WithFormatAssertions())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	checked := 0
	for path, item := range described.Paths {
		for method, op := range item {
			request := func(body []byte) *http.Request {
				r := httptest.NewRequestWithContext(t.Context(), strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "x"), bytes.NewReader(body))
				r.Header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
				return r
			}
			if example := op.RequestBody.Content[echo.MIMEApplicationJSON].Example; example != nil {
				_, errs := v.ValidateHttpRequest(request(example))
				reportInvalid(t, method+" "+path, "is asked for", errs, example)
				checked++
			}
			for status, answer := range op.Responses {
				example := answer.Content[echo.MIMEApplicationJSON].Example
				if example == nil {
					continue
				}
				code, err := strconv.Atoi(status)
				if err != nil {
					t.Fatal(err)
				}
				_, errs := v.ValidateHttpResponse(request(nil), &http.Response{
					StatusCode: code, Header: http.Header{echo.HeaderContentType: {echo.MIMEApplicationJSON}}, Body: io.NopCloser(bytes.NewReader(example)),
				})
				reportInvalid(t, method+" "+path, "is answered", errs, example)
				checked++
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d examples", checked)
	}
}

func reportInvalid(t *testing.T, route, what string, errs []*validation.ValidationError, example []byte) {
	t.Helper()
	for _, e := range errs {
		t.Errorf("%s: what %s: %s: %s\n%s", route, what, e.Message, e.Reason, example)
		for _, s := range e.SchemaValidationErrors {
			t.Errorf("  %s at %s", s.Reason, s.FieldPath)
		}
	}
}

// What a field is for is said where its name does not say it.
func TestFieldsAreExplained(t *testing.T) {
	plain := map[string]bool{}
	for _, name := range []string{
		"id", "name", "email", "password", "native_language", "created_at", "updated_at", "username", "user", "status", "version",
		"session_id", "profile_id", "user_id", "conversation_id", "message_id", "target_language", "cefr_level", "language", "level",
		"topic", "text", "audio", "session", "services", "url", "field", "message", "token", "refresh_token", "type", "started_at", "ended_at",
		"current_password", "new_password", "difficulty_level", "provider", "voices", "to", "subject", "at", "guest", "role",
		"input", "output", "format", "interrupt_response", "conversation_count", "vocabulary_mastered", "original", "corrected", "explanation",
		"category", "content", "words_spoken", "corrections_made", "message_count", "total_sessions", "total_vocabulary_mastered", "token_type",
		"part_of_speech", "lemma", "translation", "voice_id", "code",
	} {
		plain[name] = true
	}
	for component, schema := range readDescription(t, newHouse(t), "/openapi.json").Components.Schemas {
		for name, property := range schema.Properties {
			if property.Description == "" && !plain[name] {
				t.Errorf("%s.%s: nothing is said of it", component, name)
			}
		}
	}
}
