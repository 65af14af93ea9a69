package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session"
)

// check collects what is wrong with one event: the first problem wins, and the
// methods that follow it return zero values or whatever they read.
//
// Optional fields arrive as pointers; nil, which also stands for null, is absent.
type check struct {
	problem *session.Problem
}

// fail records an invalid_event; param is the dotted field at fault, "" for the whole.
func (c *check) fail(param, format string, args ...any) {
	if c.problem != nil {
		return
	}
	c.problem = &session.Problem{
		Type: session.InvalidRequest, Code: session.InvalidEvent,
		Param: param, Message: fmt.Sprintf(format, args...),
	}
}

// decodeFields decodes an event, or the part of it that stands at the dotted
// path under, naming the field whose JSON type is wrong.
func decodeFields[T any](c *check, data []byte, under ...string) T {
	var v T
	err := json.Unmarshal(data, &v)
	if err == nil {
		return v
	}
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		c.fail("", "The event cannot be read.")
		return v
	}
	if wrong.Field == "" && len(under) == 0 {
		c.fail("", "An event must be a JSON object, not %s.", article(wrong.Value))
		return v
	}
	path := append(under, wrong.Field)
	param := strings.Trim(strings.Join(path, "."), ".")
	c.fail(param, "%s must be %s, not %s.", param, wanted(wrong.Type), article(wrong.Value))
	return v
}

// wanted says in JSON's words what a Go type decodes from.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct:
		return "an object"
	}
	return fmt.Sprintf("a number from %d to %d", 0, MaxMS)
}

// article puts what was found into words: "a string", "an object", "the number 1e999".
func article(value string) string {
	kind, literal, _ := strings.Cut(value, " ")
	switch {
	case literal != "" && len(literal) <= 32:
		return "the number " + literal
	case kind == "array" || kind == "object":
		return "an " + kind
	}
	return "a " + kind
}

// need fails when a required field is absent.
func (c *check) need(param string, present bool) {
	if !present {
		c.fail(param, "%s is missing.", param)
	}
}

// text reads an optional string of at most limit bytes without control characters.
func (c *check) text(param string, v *string, limit int) string {
	if v == nil {
		return ""
	}
	switch {
	case len(*v) > limit:
		c.fail(param, "%s is too long: %d bytes, at most %d.", param, len(*v), limit)
	case strings.ContainsFunc(*v, unicode.IsControl):
		c.fail(param, "%s must not hold control characters.", param)
	default:
		return *v
	}
	return ""
}

// name reads a required identifier.
func (c *check) name(param string, v *string) string {
	c.need(param, v != nil && *v != "")
	return c.text(param, v, MaxNameBytes)
}

// prose reads an optional text of at most [MaxTypedChars] characters, trimmed.
func (c *check) prose(param string, v *string) string { return c.proseOf(param, v, MaxTypedChars) }

// proseOf is prose with another limit, in characters.
func (c *check) proseOf(param string, v *string, limit int) string {
	if v == nil {
		return ""
	}
	s := strings.TrimSpace(*v)
	switch n := utf8.RuneCountInString(s); {
	case n > limit:
		c.fail(param, "%s is too long: %d characters, at most %d.", param, n, limit)
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }):
		c.fail(param, "%s must not hold control characters.", param)
	default:
		return s
	}
	return ""
}

// oneOf reads an optional string that must be one of a list.
func (c *check) oneOf(param string, v *string, allowed ...string) string {
	if v == nil {
		return ""
	}
	for _, a := range allowed {
		if *v == a {
			return a
		}
	}
	c.fail(param, "%s must be one of %s.", param, strings.Join(allowed, ", "))
	return ""
}

// number reads an optional number within a range.
func (c *check) number(param string, v *float64, lo, hi float64) float64 {
	if v == nil {
		return 0
	}
	if math.IsNaN(*v) || *v < lo || *v > hi {
		c.fail(param, "%s must be from %s to %s.", param, plain(lo), plain(hi))
		return 0
	}
	return *v
}

// whole reads an optional whole number within a range.
func (c *check) whole(param string, v *float64, lo, hi int64) int64 {
	n := c.number(param, v, float64(lo), float64(hi))
	if n != math.Trunc(n) {
		c.fail(param, "%s must be a whole number.", param)
		return 0
	}
	return int64(n)
}

// millis reads an optional duration or position in milliseconds.
func (c *check) millis(param string, v *float64) float64 {
	return c.number(param, v, 0, MaxMS)
}

// plain formats a bound without an exponent.
func plain(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
}
