package gateway

import (
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
)

// olderDocument is the description in OpenAPI 3.0.3, for tools that read nothing newer.
func olderDocument(api *huma.OpenAPI) (document, error) {
	encoded, err := api.Downgrade()
	if err != nil {
		return document{}, fmt.Errorf("gateway: describe the API in OpenAPI 3.0: %w", err)
	}
	var tree any
	if err := json.Unmarshal(encoded, &tree); err != nil {
		return document{}, fmt.Errorf("gateway: describe the API in OpenAPI 3.0: %w", err)
	}
	reword(tree)
	return newDocument(tree)
}

// reword says in 3.0's words what huma leaves as it is: "an object or null" is an object
// that is nullable there, since there is no type null; a reference has nothing beside it, so
// that with a description it is the only part of a whole; and binary strings have a format
// and no media type.
func reword(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			reword(child)
		}
	case map[string]any:
		if node["type"] == huma.TypeString {
			delete(node, "contentMediaType")
		}
		if choices, ok := node["anyOf"].([]any); ok && len(choices) == 2 {
			if second, ok := choices[1].(map[string]any); ok && second["type"] == "null" {
				delete(node, "anyOf")
				node["allOf"], node["nullable"] = choices[:1], true
			}
		}
		for _, child := range node {
			reword(child)
		}
		if target, ok := node["$ref"].(string); ok && len(node) > 1 {
			delete(node, "$ref")
			node["allOf"] = []any{map[string]any{"$ref": target}}
		}
	}
}
