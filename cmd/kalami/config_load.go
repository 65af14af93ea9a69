package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// configInputs are the places that values come from, weakest first: the struct's
// defaults, the .env file, the environment, flags.
type configInputs struct {
	// envFile is the path of the .env file, which must exist when it was named.
	envFile      string
	envFileNamed bool
	// environ holds "NAME=value".
	environ []string
	// flags holds, by variable, what was given on the command line.
	flags map[string]string
}

// Loaded is a usable configuration, and where each value came from.
type Loaded struct {
	Config
	origins map[string]string
}

// Origin tells where the variable's value came from: "default", ".env line 3",
// "environment", "--port", or "file PATH" for a NAME_FILE variable.
func (l *Loaded) Origin(name string) string { return cmp.Or(l.origins[name], originDefault) }

const originDefault = "default"

// problem is one thing that is wrong: which variable (or file and line), and why.
type problem struct{ where, reason string }

// configError holds everything that is wrong with a configuration, a line each.
type configError struct{ problems []problem }

// Error implements error.
func (e *configError) Error() string {
	var lines []string
	for _, p := range e.problems {
		lines = append(lines, p.where+": "+p.reason)
	}
	return strings.Join(lines, "\n")
}

// setting is a value and its origin.
type setting struct{ value, origin string }

// loadConfig reads, checks and completes the configuration. Its error is a
// *configError with every problem found. No message holds a secret's value.
func loadConfig(in configInputs) (*Loaded, error) {
	l := &Loaded{origins: map[string]string{}}
	fields := configFields(&l.Config)
	merged := map[string]setting{}

	entries, problems := readEnvFile(in.envFile, in.envFileNamed)
	fromFile := map[string]setting{}
	for _, e := range entries {
		fromFile[e.name] = setting{e.value, fmt.Sprintf("%s line %d", in.envFile, e.line)}
	}
	fromEnviron := map[string]setting{}
	for _, kv := range in.environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			fromEnviron[name] = setting{value, "environment"}
		}
	}
	problems = append(problems, unknownVariables(fields, fromFile, nil)...)
	problems = append(problems, unknownVariables(fields, fromEnviron, notOurs)...)
	for _, layer := range []map[string]setting{fromFile, fromEnviron} {
		problems = append(problems, mergeLayer(merged, layer, fields)...)
	}
	for name, value := range in.flags {
		merged[name] = setting{value, "--" + strings.ToLower(name)}
	}

	values := map[string]string{}
	for name, s := range merged {
		values[name] = s.value
		if s.value != "" {
			l.origins[name] = s.origin
		}
	}
	bad := l.parse(values)
	problems = append(problems, bad...)
	l.complete(func(name string) bool { return l.origins[name] != "" })
	problems = append(problems, l.validate(bad)...)
	if len(problems) > 0 {
		return nil, &configError{problems}
	}
	return l, nil
}

// mergeLayer puts what a layer sets over what weaker ones did. A NAME_FILE
// variable is replaced by the content of its file here.
func mergeLayer(merged, layer map[string]setting, fields []field) (problems []problem) {
	for _, f := range fields {
		s, ok := layer[f.name]
		file := layer[f.name+"_FILE"]
		switch {
		case !f.secret || file.value == "":
		case s.value != "":
			problems = append(problems, problem{f.name, "is set, and so is " + f.name + "_FILE; keep one of them"})
		default:
			text, err := readSmallFile(file.value)
			if err != nil {
				problems = append(problems, problem{f.name + "_FILE", err.Error()})
				continue
			}
			s, ok = setting{strings.TrimSpace(text), "file " + file.value}, true
			if s.value == "" {
				problems = append(problems, problem{f.name + "_FILE", file.value + " is empty"})
			}
		}
		if ok {
			merged[f.name] = s
		}
	}
	return problems
}

// parse fills the tree from values, group by group, because the library names
// the struct's field in its errors and such a name is unique within a group only.
func (l *Loaded) parse(values map[string]string) (problems []problem) {
	tree := reflect.ValueOf(&l.Config).Elem()
	for g := range tree.NumField() {
		group := tree.Field(g)
		err := env.ParseWithOptions(group.Addr().Interface(), env.Options{Environment: values})
		agg, ok := errors.AsType[env.AggregateError](err)
		if err != nil && !ok {
			problems = append(problems, problem{tree.Type().Field(g).Name, err.Error()})
		}
		for _, e := range agg.Errors {
			pe, ok := errors.AsType[env.ParseError](e)
			sf, found := group.Type().FieldByName(pe.Name)
			if !ok || !found {
				problems = append(problems, problem{tree.Type().Field(g).Name, e.Error()})
				continue
			}
			name := sf.Tag.Get("env")
			problems = append(problems, problem{name, parseReason(sf.Type, values[name], pe.Err)})
		}
	}
	return problems
}

// parseReason says in plain words why value is no t. Our own types explain
// themselves, and only they can hold a secret.
func parseReason(t reflect.Type, value string, err error) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return fmt.Sprintf("%q is not a duration such as 500ms, 30s or 5m", value)
	case t == reflect.TypeFor[slog.Level]():
		return fmt.Sprintf("%q is not DEBUG, INFO, WARN or ERROR", value)
	case t.Kind() == reflect.Bool:
		return fmt.Sprintf("%q is neither true nor false", value)
	case t.Kind() == reflect.Int:
		return fmt.Sprintf("%q is not a whole number", value)
	}
	return err.Error()
}

// unknownVariables finds names that the configuration does not have. skip, when
// not nil, tells which of them are somebody else's.
func unknownVariables(fields []field, layer map[string]setting, skip func(name, value string) bool) (problems []problem) {
	var known []string
	for _, f := range fields {
		known = append(known, f.name)
		if f.secret {
			known = append(known, f.name+"_FILE")
		}
	}
	for name, s := range layer {
		if slices.Contains(known, name) || skip != nil && skip(name, s.value) {
			continue
		}
		reason := "is not a variable of Kalami"
		if s.origin != "environment" {
			reason += " (" + s.origin + ")"
		}
		if guess := closest(name, known); guess != "" {
			reason += "; did you mean " + guess + "?"
		}
		problems = append(problems, problem{name, reason})
	}
	slices.SortFunc(problems, func(a, b problem) int { return cmp.Compare(a.where, b.where) })
	return problems
}
