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
	withoutNull(tree)
	return newDocument(tree)
}

// withoutNull says in 3.0's words what huma leaves as it is: "an object or null" is an
// object that is nullable there, since there is no type null. It also leaves out the media
// type of binary strings, which 3.0 takes from the format alone.
func withoutNull(node any) {
	switch node := node.(type) {
	case []any:
		for _, child := range node {
			withoutNull(child)
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
			withoutNull(child)
		}
	}
}
