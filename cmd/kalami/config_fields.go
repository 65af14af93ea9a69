package main

import (
	"fmt"
	"reflect"
)

// field is one variable of the configuration: its tags and its place in a Config.
type field struct {
	group, name string
	def, doc    string
	min, max    string
	secret      bool   // has a NAME_FILE variant and a masked print
	goName      string // the struct field's name, unique within its group
	value       reflect.Value
}

// configFields lists every variable of c in the order of the declaration, the
// fields' values settable.
func configFields(c *Config) []field {
	var fields []field
	tree := reflect.ValueOf(c).Elem()
	for g := range tree.NumField() {
		group := tree.Field(g)
		for i := range group.NumField() {
			sf := group.Type().Field(i)
			_, secret := group.Field(i).Interface().(redacter)
			fields = append(fields, field{
				group:  tree.Type().Field(g).Tag.Get("group"),
				name:   sf.Tag.Get("env"),
				def:    sf.Tag.Get("envDefault"),
				doc:    sf.Tag.Get("doc"),
				min:    sf.Tag.Get("min"),
				max:    sf.Tag.Get("max"),
				secret: secret,
				goName: sf.Name,
				value:  group.Field(i),
			})
		}
	}
	return fields
}

// printable is the field's present value as it may be shown to anybody.
func (f *field) printable() string {
	v := f.value.Interface()
	if r, ok := v.(redacter); ok {
		return r.redacted()
	}
	return fmt.Sprint(v)
}
