package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"kalami/gateway/schemas"
	"kalami/session/learn"
)

// decodeJSON reads the request's body into dst. Unknown fields are ignored. A field of
// the wrong type is Invalid and named; so is a body that is missing or not JSON.
func decodeJSON(c echo.Context, dst any) error {
	return decodeBody(c, dst, true)
}

// decodeOptionalJSON is decodeJSON for routes whose body may be left out.
func decodeOptionalJSON(c echo.Context, dst any) error {
	return decodeBody(c, dst, false)
}

// decodePatch is decodeJSON for a PATCH: a field that dst does not have is Invalid and
// named, since a change that is not made must not look like one that is.
func decodePatch(c echo.Context, dst any) error {
	return decode(c, dst, true, true)
}

func decodeBody(c echo.Context, dst any, required bool) error {
	return decode(c, dst, required, false)
}

func decode(c echo.Context, dst any, required, strict bool) error {
	const op = "gateway.decode"
	body, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return readError(op, err)
	}
	if len(body) == 0 && !required {
		return nil
	}
	var f faults
	if !utf8.Valid(body) {
		f.add("body", "must be UTF-8")
		return f.err(op)
	}
	if strict {
		f.unknown(body, dst)
	}
	err = json.Unmarshal(body, dst)
	if err == nil {
		return f.err(op)
	}
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := te.Field
		if field == "" {
			field = "body"
		}
		f.add(field, "must be %s, not %s", jsonName(te.Type), article(te.Value))
	} else {
		f.add("body", "must be a JSON object")
	}
	return f.err(op)
}

// unknown names the members of a JSON object that the struct behind dst has no field
// for, at most a few of them. What is no object is left to the decoder.
func (f *faults) unknown(body []byte, dst any) {
	const most = 5
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return
	}
	t := reflect.TypeOf(dst).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		maps.DeleteFunc(members, func(member string, _ json.RawMessage) bool { return strings.EqualFold(member, name) })
	}
	for n, member := range slices.Sorted(maps.Keys(members)) {
		if n == most {
			break
		}
		if !saneID(member) { // not for repeating
			f.add("body", "has a field that is not known")
			continue
		}
		f.add(member, "is not a field that can be changed")
	}
}

// jsonName is what JSON calls a Go type.
func jsonName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	default:
		return "an object"
	}
}

// article completes the decoder's name of a value, such as "array" or "number 1.5". The
// number itself is left out: it may be a password, or a megabyte long, and the message
// goes into the log as well.
func article(value string) string {
	if strings.HasPrefix(value, "number ") {
		return "that number"
	}
	if strings.HasPrefix(value, "array") || strings.HasPrefix(value, "object") {
		return "an " + value
	}
	return "a " + value
}

// optional is a field of a PATCH: absent, null, or a value.
type optional[T any] struct {
	set, null bool
	value     T
}

// UnmarshalJSON implements [json.Unmarshaler].
func (o *optional[T]) UnmarshalJSON(b []byte) error {
	o.set = true
	if string(b) == "null" {
		o.null = true
		return nil
	}
	return json.Unmarshal(b, &o.value)
}

// Schema implements [huma.SchemaProvider]: a value or null.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	return schemas.OrNull(r.Schema(reflect.TypeFor[T](), true, ""))
}

// faults collects what is wrong with a request's fields.
type faults []learn.FieldError

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, learn.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// err is nil without faults, else Invalid with all of them; the message for people
// repeats them, since older clients show nothing else.
func (f faults) err(op string) error {
	if len(f) == 0 {
		return nil
	}
	all := make([]string, len(f))
	for i, fe := range f {
		all[i] = fe.Field + ": " + fe.Message
	}
	return &learn.Error{Kind: learn.Invalid, Msg: strings.Join(all, "; "), Fields: f, Op: op}
}

// text checks a line that people wrote: at most limit characters, none of which breaks
// the line or changes the direction of what is written around it. It returns the line
// without surrounding space.
func (f *faults) text(field, s string, limit int) string {
	s = strings.TrimSpace(s)
	switch {
	case !utf8.ValidString(s):
		f.add(field, "must be valid UTF-8")
	case utf8.RuneCountInString(s) > limit:
		f.add(field, "must have at most %d characters", limit)
	case strings.ContainsFunc(s, notInLine):
		f.add(field, "must not contain control characters")
	}
	return s
}

// notInLine holds for what a line of text must not contain: control characters, Unicode's
// own line ends, and the marks that turn the direction of everything behind them.
func notInLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// voiceID checks a vendor's name for a voice: it becomes part of a request's path there,
// where ".." would lead elsewhere.
func (f *faults) voiceID(field, s string) string {
	s = strings.TrimSpace(s)
	if s != "" && (!saneID(s) || strings.Trim(s, ".") == "") {
		f.add(field, "must be 1 to 64 letters, digits, '-', '_' or '.'")
	}
	return s
}

// number checks a number's range; lo and hi belong to it.
func number[N int | float64](f *faults, field string, n, lo, hi N) {
	if n < lo || n > hi {
		f.add(field, "must be between %v and %v", lo, hi)
	}
}
