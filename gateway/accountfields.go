package gateway

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kalami/gateway/token"
)

const (
	maxName   = 100
	maxEmail  = 254
	maxTag    = 35 // of a language, with script and region
	maxZone   = 64
	maxDevice = 64
)

// email checks a required e-mail address.
func (f *faults) email(field string, value *string) string {
	if value == nil || strings.TrimSpace(*value) == "" {
		f.add(field, "is required")
		return ""
	}
	email, ok := parseEmail(strings.TrimSpace(*value))
	if !ok {
		f.add(field, "is not a valid e-mail address")
	}
	return email
}

// newPassword checks a password that somebody chooses.
func (f *faults) newPassword(field string, value *string, email string) string {
	if f.required(field, value) == "" {
		return ""
	}
	if fault := token.CheckPassword(*value); fault != "" {
		f.add(field, "%s", fault)
	} else if strings.EqualFold(*value, email) {
		f.add(field, "must not be the e-mail address")
	}
	return *value
}

// name checks an optional name for people.
func (f *faults) name(field string, value *string) string {
	if value == nil {
		return ""
	}
	return f.text(field, *value, maxName)
}

// required checks that a text is there and not empty.
func (f *faults) required(field string, value *string) string {
	if value == nil || *value == "" {
		f.add(field, "is required")
		return ""
	}
	return *value
}

// nativeLanguage checks an optional language tag and returns its primary subtag; "en"
// when it is left out. Any language may be somebody's native one.
func (f *faults) nativeLanguage(field string, value *string) string {
	if value == nil {
		return "en"
	}
	tag := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(*value), "_", "-"))
	primary, _, _ := strings.Cut(tag, "-")
	ok := len(tag) <= maxTag && (len(primary) == 2 || len(primary) == 3)
	for _, r := range primary {
		ok = ok && r >= 'a' && r <= 'z'
	}
	if !ok {
		f.add(field, `must be a language tag such as "en"`)
	}
	return primary
}

// locale checks a language tag such as "pt-BR", and returns it with "-" between its parts.
func (f *faults) locale(field, value string) string {
	tag := strings.ReplaceAll(strings.TrimSpace(value), "_", "-")
	ok := len(tag) <= maxTag
	for i, part := range strings.Split(tag, "-") {
		letters := strings.Trim(strings.ToLower(part), "abcdefghijklmnopqrstuvwxyz") == ""
		digits := strings.Trim(strings.ToLower(part), "abcdefghijklmnopqrstuvwxyz0123456789") == ""
		if i == 0 {
			ok = ok && letters && (len(part) == 2 || len(part) == 3)
		} else {
			ok = ok && digits && len(part) >= 1 && len(part) <= 8
		}
	}
	if !ok {
		f.add(field, `must be a language tag such as "en" or "pt-BR"`)
	}
	return tag
}

// zone checks the IANA name of a time zone.
func (f *faults) zone(field, value string) string {
	_, err := time.LoadLocation(value)
	// "Local" would be the server's own zone.
	if value == "" || value == "Local" || len(value) > maxZone || err != nil {
		f.add(field, `must be the IANA name of a time zone, such as "Europe/Madrid"`)
	}
	return value
}

// parseEmail checks an address and returns it normalised and with its domain in lower
// case. Normalising makes one address of the ways in which Unicode spells the same
// letters, so that nobody registers somebody's address a second time in full-width
// letters; what has no look of its own, such as a zero-width space, is refused.
func parseEmail(s string) (string, bool) {
	if len(s) > maxEmail || !utf8.ValidString(s) {
		return "", false
	}
	s = norm.NFKC.String(s)
	if strings.ContainsFunc(s, notInEmail) {
		return "", false
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s { // a display name, a comment, quotes
		return "", false
	}
	at := strings.LastIndexByte(s, '@')
	local, domain := s[:at], strings.ToLower(s[at+1:])
	labels := strings.Split(domain, ".")
	if len(local) > 64 || len(labels) < 2 {
		return "", false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, notInHostname) {
			return "", false
		}
	}
	return local + "@" + domain, true
}

// notInEmail holds for what no address contains outside ASCII: anything but letters,
// their marks and digits, those of them that are never seen, and letters whose lower case is ASCII, such as the dotted
// capital I, which would make another address the same as this one.
func notInEmail(r rune) bool {
	return r >= utf8.RuneSelf && (!unicode.In(r, unicode.L, unicode.M, unicode.Nd) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		unicode.ToLower(r) < utf8.RuneSelf)
}

// notInHostname holds for what no label of a domain contains; letters outside ASCII
// are those of internationalised names.
func notInHostname(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
		return false
	}
	return r < 0x80
}
