package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"kalami/session"
)

// apiDocument is what these tests read of the description.
type apiDocument struct {
	OpenAPI    string
	Info       struct{ Title, Version, Description string }
	Tags       []struct{ Name, Description string }
	Paths      map[string]map[string]apiOperation
	Components struct{ Schemas map[string]apiSchema }
}

type apiOperation struct {
	OperationID, Summary string
	Tags                 []string
	Security             []map[string][]string
	Parameters           []struct{ Name, In, Description string }
	Responses            map[string]any
}

type apiSchema struct {
	Description string
	Properties  map[string]struct {
		Description string
		Ref         string `json:"$ref"`
		Type        any
	}
}

func readDescription(t *testing.T, h *house, path string) apiDocument {
	t.Helper()
	var d apiDocument
	if err := json.Unmarshal(h.do("GET", path, nil).want(http.StatusOK).body, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// undescribed says whether a route stands outside the description: sockets, which have
// their own, and files of pages.
func undescribed(path string) bool {
	return path == voicePath || path == originalPath || path == "/docs" || path == "/redoc" ||
		strings.HasPrefix(path, "/docs/") || strings.HasPrefix(path, "/redoc/")
}

// A route that is not described, or a description without its route, fails.
func TestEveryRouteIsDescribed(t *testing.T) {
	h := newHouse(t)
	routes := map[string]bool{}
	for _, r := range h.server.echo.Routes() {
		if path := strings.TrimPrefix(r.Path, "/api"); r.Method != http.MethodHead && !undescribed(path) {
			routes[strings.ToLower(r.Method)+" "+openAPIPath("/"+strings.TrimPrefix(path, "/"))] = true
		}
	}
	described := map[string]bool{}
	for path, item := range readDescription(t, h, "/openapi.json").Paths {
		for method := range item {
			described[method+" "+path] = true
		}
	}
	for route := range routes {
		if !described[route] {
			t.Errorf("%s is not described", route)
		}
	}
	for route := range described {
		if !routes[route] {
			t.Errorf("%s is described and not registered", route)
		}
	}
	if len(described) < 10 {
		t.Errorf("only %d operations", len(described))
	}
}

// What is described is enough to use it: every operation has a name of its own, a group
// and a sentence; every group is explained.
func TestOperationsAreComplete(t *testing.T) {
	d := readDescription(t, newHouse(t), "/api/openapi.json")
	if d.OpenAPI != "3.1.0" || d.Info.Title != "Kalami API" || d.Info.Version != "v0.0.0-test" || d.Info.Description == "" {
		t.Errorf("the document is %s, its head %+v", d.OpenAPI, d.Info)
	}
	groups := map[string]bool{}
	for _, tag := range d.Tags {
		groups[tag.Name] = tag.Description != ""
	}
	ids := map[string]string{}
	for path, item := range d.Paths {
		for method, op := range item {
			route := method + " " + path
			if other := ids[op.OperationID]; op.OperationID == "" || other != "" {
				t.Errorf("%s has the id %q, as has %q", route, op.OperationID, other)
			}
			ids[op.OperationID] = route
			if op.Summary == "" || len(op.Tags) != 1 || !groups[op.Tags[0]] {
				t.Errorf("%s: summary %q, groups %q, of which each must be explained", route, op.Summary, op.Tags)
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(op.Responses)), func(status string) bool { return status[0] == '2' }) {
				t.Errorf("%s never succeeds", route)
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: nothing is said of %s", route, p.Name)
				}
			}
		}
	}
}

// The description holds for an independent reader of the standard.
func TestDescriptionIsValid(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/openapi.json", "/openapi-3.0.json"} {
		doc, err := libopenapi.NewDocument(h.do("GET", path, nil).want(http.StatusOK).body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		v, errs := validator.NewValidator(doc)
		if len(errs) > 0 {
			t.Fatalf("%s: %v", path, errs)
		}
		if ok, problems := v.ValidateDocument(); !ok {
			for _, p := range problems {
				t.Errorf("%s: %s: %s", path, p.Message, p.Reason)
				for _, s := range p.SchemaValidationErrors {
					t.Errorf("  %s at %s", s.Reason, s.KeywordLocation)
				}
			}
		}
	}
}

// Who has the document is told so, and any program may read it.
func TestDescriptionIsCached(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/openapi.json", "/openapi-3.0.json", "/asyncapi.json"} {
		first := h.do("GET", path, nil).want(http.StatusOK)
		etag := first.header.Get("ETag")
		if etag == "" || first.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %v", path, first.header)
		}
		if again := h.do("GET", path, nil, "If-None-Match", etag).want(http.StatusNotModified); len(again.body) > 0 {
			t.Errorf("304 with a body of %d bytes", len(again.body))
		}
	}
}

// The sockets' description tells what each close code means.
func TestCloseCodesAreDescribed(t *testing.T) {
	body := string(newHouse(t).do("GET", "/asyncapi.json", nil).want(http.StatusOK).body)
	for _, reason := range session.EndReasons() {
		row, _ := closeCodeOf(reason)
		if told := strings.Contains(body, fmt.Sprintf(`| %d | %s |`, row.code, row.name)); told != (row.code != 0) {
			t.Errorf("%s, %d: described: %t", reason, row.code, told)
		}
	}
}

// An access token is asked for exactly where the handler asks for it.
func TestDescribedSecurity(t *testing.T) {
	h := newHouse(t)
	for path, item := range readDescription(t, h, "/openapi.json").Paths {
		for method, op := range item {
			r := h.do(strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "x"), nil)
			if needed := len(op.Security) > 0; needed != (r.code == http.StatusUnauthorized) {
				t.Errorf("%s %s: described as needing a token: %t; without one it answers %d", method, path, needed, r.code)
			}
		}
	}
}
