package gateway

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"kalami/session/learn"
)

// each is an element of a list whose elements are judged one by one: what is wrong with one
// of them is its own, and the list is read.
type each[T any] struct {
	value  T
	faults faults // of its shape
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *each[T]) UnmarshalJSON(b []byte) error {
	err := json.Unmarshal(b, &e.value)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := te.Field
		if field == "" {
			field = "body"
		}
		e.faults.add(field, "must be %s, not %s", jsonName(te.Type), article(te.Value))
		return nil
	}
	return err
}

// Schema implements [huma.SchemaProvider]: that of the value.
func (each[T]) Schema(r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// flag returns a parameter that is true or false; nil when it is not there.
func (q *query) flag(name string) *bool {
	value, ok := q.get(name)
	switch {
	case !ok:
		return nil
	case value == "true", value == "false":
		return new(value == "true")
	}
	q.add(name, "must be true or false")
	return nil
}

// choice returns a parameter that is one of some words; empty when it is not there.
func choice[T ~string](q *query, name string, among ...T) T {
	value, ok := q.get(name)
	for _, one := range among {
		if ok && value == string(one) {
			return one
		}
	}
	if ok {
		q.add(name, "must be one of %s", words(among))
	}
	return ""
}

// words lists some words for people.
func words[T ~string](all []T) (list string) {
	for i, w := range all {
		if i > 0 {
			list += ", "
		}
		list += string(w)
	}
	return list
}

// anyOf lists the values of a parameter for its description.
func anyOf[T ~string](all []T) []any {
	list := make([]any, len(all))
	for i, w := range all {
		list[i] = string(w)
	}
	return list
}

func cardKinds() []learn.CardKind {
	return []learn.CardKind{learn.CardRecognise, learn.CardProduce, learn.CardSpeak, learn.CardFix}
}

func cardStates() []learn.CardState {
	return []learn.CardState{learn.CardNew, learn.CardLearning, learn.CardReview, learn.CardRelearning}
}

func cardOrigins() []learn.CardOrigin {
	return []learn.CardOrigin{learn.FromHand, learn.FromImport, learn.FromCorrection, learn.FromMessage, learn.FromL1}
}

func levels() []learn.Level {
	return []learn.Level{learn.A1, learn.A2, learn.B1, learn.B2, learn.C1, learn.C2}
}
