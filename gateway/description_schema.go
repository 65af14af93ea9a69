package gateway

import (
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// schemaSet makes JSON schemas of Go types, each type once, and corrects what their
// reflection gets wrong: which fields a request must have, and what may be null.
type schemaSet struct {
	prefix   string // of references
	registry huma.Registry
	names    map[reflect.Type]string
	taken    map[string]bool
	requests []*huma.Schema // what clients send
}

func newSchemaSet(prefix string) *schemaSet {
	s := &schemaSet{prefix: prefix, names: map[reflect.Type]string{}, taken: map[string]bool{}}
	s.registry = huma.NewMapRegistry(prefix, s.name)
	return s
}

// name is a component's name: the type's, in upper case, without the JSON that marks types
// of answers here. Types of other packages get the package's name when they need it to differ.
func (s *schemaSet) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := s.names[t]; ok {
		return name
	}
	name := huma.DefaultSchemaNamer(t, hint)
	switch {
	case t == reflect.TypeFor[errorBody]():
		name = "Error"
	case strings.HasSuffix(name, "JSON"):
		name = strings.TrimSuffix(name, "JSON")
	case path.Base(t.PkgPath()) == "session":
		name = "Voice" + name
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

// answer is the schema of what the server sends.
func (s *schemaSet) answer(t reflect.Type) *huma.Schema { return s.registry.Schema(t, true, "") }

// request is the schema of what a client sends: of its fields only those are required that
// have the tag required:"true".
func (s *schemaSet) request(t reflect.Type) *huma.Schema {
	schema := s.registry.Schema(t, true, "")
	s.requests = append(s.requests, schema)
	return schema
}

// multipart is the schema of a form whose fields are parts; a []byte is a file.
func (s *schemaSet) multipart(t reflect.Type) *huma.Schema {
	schema := s.request(t)
	if !slices.ContainsFunc(reflect.VisibleFields(t), isFile) {
		return schema
	}
	form := *s.registry.SchemaFromRef(schema.Ref)
	properties := map[string]*huma.Schema{}
	for name, property := range form.Properties {
		properties[name] = property
	}
	for _, field := range slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return !isFile(f) }) {
		file := binary()
		name := jsonFieldName(field)
		file.Description = properties[name].Description
		properties[name] = file
	}
	form.Properties, form.AdditionalProperties = properties, nil
	form.Required = requiredByTag(t)
	return &form
}

func isFile(f reflect.StructField) bool { return f.Type == reflect.TypeFor[[]byte]() }

// inline is a schema without a name of its own.
func (s *schemaSet) inline(t reflect.Type) *huma.Schema {
	schema := s.registry.Schema(t, false, "")
	tidy(schema)
	return schema
}

// finish corrects the schemas once all of them are known.
func (s *schemaSet) finish() {
	sent := map[string]bool{}
	for _, schema := range s.requests {
		s.reach(schema, sent)
	}
	for name, schema := range s.registry.Map() {
		t := s.registry.TypeFromRef(s.prefix + name)
		if t.Kind() != reflect.Struct || schema.Type != huma.TypeObject {
			continue
		}
		if sent[name] {
			schema.Required = requiredByTag(t)
		}
		for _, field := range reflect.VisibleFields(t) {
			property := schema.Properties[jsonFieldName(field)]
			if property == nil || field.Type.Kind() != reflect.Pointer {
				continue
			}
			switch {
			case sent[name]:
				property.Nullable = false // a client leaves out what it does not say
			case property.Ref != "" && !strings.Contains(field.Tag.Get("json"), ",omit"):
				schema.Properties[jsonFieldName(field)] = orNullSchema(property)
			}
		}
	}
	for _, schema := range s.registry.Map() {
		tidy(schema)
	}
}

// tidy removes what huma adds and what does not hold here: lists are [] and never null, and
// unknown fields are ignored by either side.
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
	if closed, ok := schema.AdditionalProperties.(bool); ok && !closed {
		schema.AdditionalProperties = nil
	}
	tidy(schema.Items)
	for _, property := range schema.Properties {
		tidy(property)
	}
	if values, ok := schema.AdditionalProperties.(*huma.Schema); ok {
		tidy(values)
	}
}

// orNullSchema is schema, which refers to an object, or null.
func orNullSchema(schema *huma.Schema) *huma.Schema {
	return &huma.Schema{
		Description: schema.Description,
		AnyOf:       []*huma.Schema{{Ref: schema.Ref}, {Type: "null"}},
	}
}

// reach adds the names of all components that schema leads to.
func (s *schemaSet) reach(schema *huma.Schema, names map[string]bool) {
	if schema == nil {
		return
	}
	if schema.Ref != "" {
		name := path.Base(schema.Ref)
		if !names[name] {
			names[name] = true
			s.reach(s.registry.SchemaFromRef(schema.Ref), names)
		}
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
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("required") == "true" {
			names = append(names, jsonFieldName(field))
		}
	}
	return names
}

// jsonFieldName is what encoding/json calls a field.
func jsonFieldName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}

// Schema implements [huma.SchemaProvider]: a value or null.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	schema := r.Schema(reflect.TypeFor[T](), true, "")
	if schema.Ref != "" {
		return orNullSchema(schema)
	}
	schema.Nullable = true
	return schema
}
