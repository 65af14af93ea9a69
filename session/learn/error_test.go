package learn_test

import (
	"errors"
	"fmt"
	"testing"

	"kalami/session/learn"
)

func TestKindOf(t *testing.T) {
	names := map[string]bool{}
	for kind := learn.Internal; kind <= learn.Unavailable; kind++ {
		names[kind.String()] = true
		err := fmt.Errorf("outer: %w", &learn.Error{Kind: kind, Err: learn.ErrFenced})
		if learn.KindOf(err) != kind || !errors.Is(err, learn.ErrFenced) {
			t.Errorf("%v is of kind %v", err, learn.KindOf(err))
		}
	}
	if len(names) != 8 {
		t.Errorf("names %v, want eight", names)
	}
	if got := learn.KindOf(errors.New("else")); got != learn.Internal {
		t.Errorf("any other error is %v", got)
	}
	if got := learn.Errorf(learn.Invalid, "store.X", "no %s", "name").Error(); got != "store.X: invalid: no name" {
		t.Errorf("%q", got)
	}
	if got := (&learn.Error{Err: learn.ErrFenced}).Error(); got != "internal: "+learn.ErrFenced.Error() {
		t.Errorf("%q", got)
	}
}

func TestParseLevel(t *testing.T) {
	for in, want := range map[string]learn.Level{"A1": learn.A1, " b2 ": learn.B2, "c2": learn.C2, "": "", "A3": "", "A1+": ""} {
		if got, ok := learn.ParseLevel(in); got != want || ok != (want != "") {
			t.Errorf("%q is %q, %v", in, got, ok)
		}
	}
	for mode, want := range map[learn.CorrectionMode]bool{learn.CorrectFlow: true, learn.CorrectSilent: true, "": false, "harsh": false} {
		if mode.Valid() != want {
			t.Errorf("%q valid: %v", mode, !want)
		}
	}
}
