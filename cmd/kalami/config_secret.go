package main

import (
	"fmt"
	"io"
	"log/slog"
)

// mask is what a secret shows of itself.
const mask = "[secret]"

// Secret is a value that must not be seen. However it is printed — package fmt, a
// log attribute, JSON, text — a mask comes out, or nothing when it is empty. Reveal
// is the one way to the value. (Two ways around the mask are left, both odd: the verb
// %p, which go vet refuses, and a secret as the key of a map in JSON.)
type Secret string

// Reveal returns the value itself, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

// String returns the mask, or an empty string for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format implements fmt.Formatter, so that no verb (%d on a string prints it)
// gets past the mask.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, which JSON uses too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the value as it stands.
func (s *Secret) UnmarshalText(b []byte) error {
	*s = Secret(b)
	return nil
}

func (s Secret) redacted() string { return s.String() }

// redacter is a setting that may hold a secret: it has a NAME_FILE variant and is
// printed by redacted alone.
type redacter interface{ redacted() string }

var (
	_ redacter = Secret("")
	_ redacter = Database{}
	_ redacter = Redis{}
	_ redacter = SMTP{}
)
