package gateway

import (
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// examples gives every body that has none an example made of the examples of its fields.
func (d *describer) examples(api *huma.OpenAPI) {
	for _, item := range api.Paths {
		for _, op := range operationsOf(item) {
			if op.RequestBody != nil {
				d.fillExamples(op.RequestBody.Content, false)
			}
			for status, answer := range op.Responses {
				d.fillExamples(answer.Content, strings.HasPrefix(status, "2"))
			}
		}
	}
}

// fillExamples makes the missing examples; a whole one has every field.
func (d *describer) fillExamples(bodies map[string]*huma.MediaType, whole bool) {
	for _, body := range bodies {
		if body.Example != nil {
			continue
		}
		if value, ok := d.sample(body.Schema, whole); ok {
			body.Example = value
		}
	}
}

// sample makes a value of a schema; ok is false when nothing is known of it.
func (d *describer) sample(schema *huma.Schema, whole bool) (value any, ok bool) {
	switch {
	case schema == nil:
		return nil, false
	case schema.Ref != "":
		return d.sample(d.schemas.registry.SchemaFromRef(schema.Ref), whole)
	case len(schema.Examples) > 0:
		return schema.Examples[0], true
	case schema.Default != nil:
		return schema.Default, true
	case len(schema.Enum) > 0:
		return schema.Enum[0], true
	case len(schema.AnyOf) > 0:
		return d.sample(schema.AnyOf[0], whole)
	}
	switch schema.Type {
	case huma.TypeObject:
		return d.sampleObject(schema, whole)
	case huma.TypeArray:
		item, ok := d.sample(schema.Items, whole)
		if !ok {
			return []any{}, whole
		}
		return []any{item}, true
	}
	return plainSample(schema, whole)
}

// sampleObject makes an object of the fields of which something is known.
func (d *describer) sampleObject(schema *huma.Schema, whole bool) (any, bool) {
	object := map[string]any{}
	for name, property := range schema.Properties {
		if value, ok := d.sample(property, whole); ok {
			object[name] = value
		}
	}
	return object, whole || len(object) > 0
}

// plainSample makes a string, number or bool that nobody gave an example of.
func plainSample(schema *huma.Schema, whole bool) (any, bool) {
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
	return nil, false
}
