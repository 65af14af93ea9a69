package schemas

import "github.com/danielgtaylor/huma/v2"

// Example makes a value of a schema out of the examples, defaults and enumerations of its
// fields. A whole one has every field, those without an example as null, false, 0 or empty;
// otherwise they are left out. ok is false when nothing is known of the value.
func (s *Set) Example(schema *huma.Schema, whole bool) (value any, ok bool) {
	switch {
	case schema == nil:
		return nil, false
	case schema.Ref != "":
		return s.Example(s.registry.SchemaFromRef(schema.Ref), whole)
	case len(schema.Examples) > 0:
		return schema.Examples[0], true
	case schema.Default != nil:
		return schema.Default, true
	case len(schema.Enum) > 0:
		return schema.Enum[0], true
	case len(schema.AnyOf) > 0:
		return s.Example(schema.AnyOf[0], whole)
	}
	switch schema.Type {
	case huma.TypeObject:
		object := map[string]any{}
		for name, property := range schema.Properties {
			if value, ok := s.Example(property, whole); ok {
				object[name] = value
			}
		}
		return object, whole || len(object) > 0
	case huma.TypeArray:
		if schema.Nullable {
			return nil, whole
		}
		if item, ok := s.Example(schema.Items, whole); ok {
			return []any{item}, true
		}
		return []any{}, whole
	}
	return plainExample(schema, whole)
}

// plainExample makes a string, number or bool that nobody gave an example of.
func plainExample(schema *huma.Schema, whole bool) (any, bool) {
	switch {
	case schema.Format == "date-time":
		return "2026-01-02T03:04:05Z", true
	case schema.Format == "binary", !whole:
		return nil, false
	case schema.Nullable:
		return nil, true
	}
	switch schema.Type {
	case huma.TypeBoolean:
		return false, true
	case huma.TypeInteger, huma.TypeNumber:
		return 0, true
	case huma.TypeString:
		return "", true
	}
	return nil, schema.Type == "" // anything, so null too
}
