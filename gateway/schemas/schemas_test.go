package schemas

import (
	"encoding/json"
	"reflect"
	"testing"
)

type part struct {
	Place string `json:"place" required:"true" example:"la playa"`
}

type thingJSON struct {
	ID    string   `json:"id" example:"t_1" doc:"Its id"`
	Mood  *string  `json:"mood" enum:"calm,cross"`
	Part  *part    `json:"part"`
	Spare *part    `json:"spare,omitempty"`
	Words []string `json:"words"`
	Marks []part   `json:"marks" nullable:"true"`
}

type request struct {
	Name  *string `json:"name" required:"true" minLength:"1"`
	Count *int    `json:"count" minimum:"1" maximum:"9"`
	File  []byte  `json:"file" doc:"The recording"`
}

// The schemas of what is sent and of what is received, as they stand in a document.
func TestSchemas(t *testing.T) {
	s := NewSet("#/s/", func(_ reflect.Type, name string) string { return name })
	sent := s.Sent(reflect.TypeFor[[]thingJSON]())
	s.Received(reflect.TypeFor[request]())
	form := s.Form(reflect.TypeFor[request]())
	s.Finish()
	for name, tt := range map[string]struct {
		got  any
		want string
	}{
		"a list": {sent, `{"items":{"$ref":"#/s/Thing"},"type":"array"}`},
		"what is sent": {s.registry.Map()["Thing"], `{"properties":{
			"id":{"description":"Its id","examples":["t_1"],"type":"string"},
			"mood":{"enum":["calm","cross",null],"type":["string","null"]},
			"part":{"anyOf":[{"$ref":"#/s/Part"},{"type":"null"}]},
			"spare":{"$ref":"#/s/Part"},
			"words":{"items":{"type":"string"},"type":"array"},
			"marks":{"items":{"$ref":"#/s/Part"},"type":["array","null"]}},
			"required":["id","mood","part","words","marks"],"type":"object"}`},
		"what is received": {s.registry.Map()["Request"], `{"properties":{
			"name":{"minLength":1,"type":"string"},
			"count":{"format":"int64","maximum":9,"minimum":1,"type":"integer"},
			"file":{"contentEncoding":"base64","description":"The recording","type":"string"}},
			"required":["name"],"type":"object"}`},
		"a form": {form, `{"properties":{
			"name":{"minLength":1,"type":"string"},
			"count":{"format":"int64","maximum":9,"minimum":1,"type":"integer"},
			"file":{"contentMediaType":"application/octet-stream","description":"The recording","format":"binary","type":"string"}},
			"required":["name"],"type":"object"}`},
	} {
		encoded, err := json.Marshal(tt.got)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if json.Unmarshal(encoded, &got) != nil || json.Unmarshal([]byte(tt.want), &want) != nil {
			t.Fatalf("%s: not JSON", name)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s is\n%s, want\n%s", name, encoded, tt.want)
		}
	}
}

func TestExample(t *testing.T) {
	s := NewSet("#/s/", nil)
	thing, in := s.Sent(reflect.TypeFor[thingJSON]()), s.Received(reflect.TypeFor[request]())
	s.Finish()
	whole, _ := s.Example(thing, true)
	want := map[string]any{
		"id": "t_1", "mood": "calm", "part": map[string]any{"place": "la playa"}, "spare": map[string]any{"place": "la playa"}, "words": []any{""}, "marks": nil,
	}
	if !reflect.DeepEqual(whole, want) {
		t.Errorf("example %v, want %v", whole, want)
	}
	if got, ok := s.Example(in, false); ok {
		t.Errorf("an example of what nobody gave one of: %v", got)
	}
}

// Two types of the same name are kept apart.
func TestNames(t *testing.T) {
	s := NewSet("#/s/", func(reflect.Type, string) string { return "Same" })
	a, b := s.Sent(reflect.TypeFor[part]()), s.Sent(reflect.TypeFor[thingJSON]())
	if a.Ref != "#/s/Same" || b.Ref != "#/s/SchemasSame" || s.Sent(reflect.TypeFor[*part]()).Ref != a.Ref {
		t.Errorf("references %s and %s", a.Ref, b.Ref)
	}
}
