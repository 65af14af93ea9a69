// Package schemas makes JSON schemas of Go types for the descriptions of the API: OpenAPI
// for its routes and AsyncAPI for its sockets.
//
// The reflection is huma's, used as a library, and so are the struct tags that it reads:
// doc, example, enum, format, minimum, maximum, minLength, maxLength, pattern. A [Set]
// corrects what reflection alone cannot know here:
//
//   - Of what is received, only those fields are required that are tagged
//     required:"true"; a pointer is a field that may be left out.
//   - Of what is sent, every field is there unless it is tagged omitempty; a pointer
//     is a field that may be null.
//   - Lists are [] and never null, but for those sent that are tagged nullable:"true".
//   - Unknown fields are ignored by either side, so schemas are open.
package schemas

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// Set holds the schemas of a document, one component for each struct. It is not for
// concurrent use.
type Set struct {
	prefix   string
	registry huma.Registry
	rename   func(t reflect.Type, name string) string
	names    map[reflect.Type]string
	taken    map[string]bool
	received []*huma.Schema
	roots    []*huma.Schema // given out, of which those without a component are corrected too
}

// NewSet returns an empty set whose references begin with prefix, such as
// "#/components/schemas/". rename may give a type another name than its own; it may be nil.
func NewSet(prefix string, rename func(t reflect.Type, name string) string) *Set {
	s := &Set{prefix: prefix, rename: rename, names: map[reflect.Type]string{}, taken: map[string]bool{}}
	s.registry = huma.NewMapRegistry(prefix, s.name)
	return s
}

// Registry returns the components, complete after [Set.Finish].
func (s *Set) Registry() huma.Registry { return s.registry }

// name is a component's name: the type's, with a capital and without the JSON that marks
// types of answers. Of two types with the same name the second gets its package's in front.
func (s *Set) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := s.names[t]; ok {
		return name
	}
	name := strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "JSON")
	if s.rename != nil {
		name = s.rename(t, name)
	}
	if s.taken[name] {
		name = capital(path.Base(t.PkgPath())) + name
	}
	if t.Kind() == reflect.Struct {
		s.names[t], s.taken[name] = name, true
	}
	return name
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// Sent returns the schema of what the server sends. It panics, like all methods that take
// a type, on a tag that says something impossible, such as a number as example of a string.
func (s *Set) Sent(t reflect.Type) *huma.Schema {
	schema := s.registry.Schema(t, true, "")
	s.roots = append(s.roots, schema)
	return schema
}

// Received returns the schema of what a client sends.
func (s *Set) Received(t reflect.Type) *huma.Schema {
	schema := s.Sent(t)
	s.received = append(s.received, schema)
	return schema
}

// Form returns the schema of a multipart form whose fields are its parts; a []byte is a file.
func (s *Set) Form(t reflect.Type) *huma.Schema {
	isFile := func(f reflect.StructField) bool { return f.Type == reflect.TypeFor[[]byte]() }
	schema := s.Received(t)
	if t.Kind() != reflect.Struct || !slices.ContainsFunc(reflect.VisibleFields(t), isFile) {
		return schema
	}
	form := *s.registry.SchemaFromRef(schema.Ref)
	properties := map[string]*huma.Schema{}
	for _, field := range reflect.VisibleFields(t) {
		property := form.Properties[fieldName(field)]
		if property != nil && isFile(field) {
			property = &huma.Schema{Type: huma.TypeString, Format: "binary", Description: property.Description}
		}
		if property != nil {
			properties[fieldName(field)] = property
		}
	}
	form.Properties, form.AdditionalProperties, form.Required = properties, nil, requiredByTag(t)
	return &form
}

// Inline returns the schema of a type that needs no name, such as a parameter's.
func (s *Set) Inline(t reflect.Type) *huma.Schema {
	schema := s.registry.Schema(t, false, "")
	tidy(schema)
	return schema
}

// Finish corrects the components; to be called once, when all types are known.
func (s *Set) Finish() {
	received := map[string]bool{}
	for _, schema := range s.received {
		s.reach(schema, received)
	}
	for name, schema := range s.registry.Map() {
		t := s.registry.TypeFromRef(s.prefix + name)
		if t.Kind() != reflect.Struct || schema.Type != huma.TypeObject {
			continue
		}
		if received[name] {
			schema.Required = requiredByTag(t)
		}
		for _, field := range reflect.VisibleFields(t) {
			property := schema.Properties[fieldName(field)]
			if property != nil && received[name] && field.Tag.Get("required") == "true" {
				property.Nullable = false // null is absent
			}
			if property == nil || field.Type.Kind() != reflect.Pointer {
				continue
			}
			switch {
			case received[name]:
				property.Nullable = false // a client leaves out what it does not say
			case property.Ref != "" && !strings.Contains(field.Tag.Get("json"), ",omit"):
				schema.Properties[fieldName(field)] = OrNull(property)
			}
		}
	}
	for _, schema := range s.registry.Map() {
		tidy(schema)
	}
	for _, schema := range s.roots {
		tidy(schema)
	}
	s.allowNull(received)
}

// allowNull marks the lists of what is sent whose tags say that they may be null.
func (s *Set) allowNull(received map[string]bool) {
	for name, schema := range s.registry.Map() {
		t := s.registry.TypeFromRef(s.prefix + name)
		if t.Kind() != reflect.Struct || received[name] {
			continue
		}
		for _, field := range reflect.VisibleFields(t) {
			property := schema.Properties[fieldName(field)]
			if property != nil && property.Type == huma.TypeArray && field.Tag.Get("nullable") == "true" {
				property.Nullable = true
			}
		}
	}
}

// OrNull returns the schema of a value or null.
func OrNull(schema *huma.Schema) *huma.Schema {
	if schema.Ref != "" {
		return &huma.Schema{Description: schema.Description, AnyOf: []*huma.Schema{{Ref: schema.Ref}, {Type: "null"}}}
	}
	schema.Nullable = true
	return schema
}

// tidy removes what huma adds and what does not hold here.
func tidy(schema *huma.Schema) {
	if schema == nil {
		return
	}
	if schema.Type == huma.TypeArray {
		schema.Nullable = false
	}
	if schema.Nullable && len(schema.Enum) > 0 && !slices.Contains(schema.Enum, nil) {
		schema.Enum = append(schema.Enum, nil)
	}
	switch more := schema.AdditionalProperties.(type) {
	case bool:
		schema.AdditionalProperties = nil
	case *huma.Schema:
		tidy(more)
	}
	tidy(schema.Items)
	for _, property := range schema.Properties {
		tidy(property)
	}
}

// reach adds the names of all components that schema leads to.
func (s *Set) reach(schema *huma.Schema, names map[string]bool) {
	if schema == nil {
		return
	}
	if name := path.Base(schema.Ref); schema.Ref != "" && !names[name] {
		names[name] = true
		s.reach(s.registry.SchemaFromRef(schema.Ref), names)
	}
	s.reach(schema.Items, names)
	for _, property := range schema.Properties {
		s.reach(property, names)
	}
	for _, choice := range schema.AnyOf {
		s.reach(choice, names)
	}
}

// requiredByTag lists the fields of a struct that have the tag required:"true".
func requiredByTag(t reflect.Type) (names []string) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("required") == "true" {
			names = append(names, fieldName(field))
		}
	}
	return names
}

// fieldName is what encoding/json calls a field.
func fieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}
