package gateway

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

var update = flag.Bool("update", false, "rewrite the generated client")

// oneFailure makes one default answer of all failures, which have one shape, and leaves
// headers to the HTTP response: the client is a third as long, and its callers look for a
// failure in one place.
func oneFailure(doc *openapi3.T) {
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for status, answer := range op.Responses.Map() {
				if answer.Value.Headers = nil; status[0] < '4' {
					continue
				}
				op.Responses.Delete(status)
				op.Responses.Set("default", &openapi3.ResponseRef{Value: openapi3.NewResponse().
					WithDescription("Any failure").
					WithContent(openapi3.NewContentWithJSONSchemaRef(openapi3.NewSchemaRef("#/components/schemas/Error", doc.Components.Schemas["Error"].Value)))})
			}
		}
	}
	doc.Components.Responses, doc.Components.Headers = nil, nil
}

// A generator that knows nothing of this server makes a Go client of its description, and
// the one that is kept in gateway/apiclient is what it makes today.
func TestClientIsUpToDate(t *testing.T) {
	h := newHouse(t)
	h.options.Version = "" // changes with every release, the client does not
	s, err := New(h.options)
	if err != nil {
		t.Fatal(err)
	}
	h.server = s
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(h.do("GET", "/openapi-3.0.json", nil).want(http.StatusOK).body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil { // a second independent reader
		t.Fatal(err)
	}
	oneFailure(doc)
	config := codegen.Configuration{
		PackageName:   "apiclient",
		Generate:      codegen.GenerateOptions{Client: true, Models: true},
		OutputOptions: codegen.OutputOptions{ExcludeTags: []string{tagDescriptions}},
	}.UpdateDefaults()
	if err := config.Validate(); err != nil {
		t.Fatal(err)
	}
	code, err := codegen.Generate(doc, config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("apiclient", "client.gen.go")
	if *update {
		if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) == code {
		return
	}
	got, want := strings.Split(string(kept), "\n"), strings.Split(code, "\n")
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s is not what the description gives today; run go generate ./gateway/apiclient\nline %d is %q, should be %q", file, i+1, got[i], want[i])
		}
	}
	t.Fatalf("%s is not what the description gives today; run go generate ./gateway/apiclient", file)
}
