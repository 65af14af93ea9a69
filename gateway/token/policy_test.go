package token

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckPassword(t *testing.T) {
	for password, want := range map[string]string{
		"":                                  "at least 8",
		"1234567":                           "at least 8",
		"ñandú-ñ":                           "at least 8", // seven characters, ten bytes
		"пароль78":                          "",           // eight characters
		"correct horse battery":             "",
		strings.Repeat("a1", MaxPassword/2): "",
		strings.Repeat("é", MaxPassword+1):  "at most 128",
		"password":                          "most common",
		"PassWord1":                         "most common",
		"qwertyuiop":                        "most common",
		"bad utf8 \xff\xfe":                 "UTF-8",
		"lots of spaces":                    "",
		"\t \t \t \t \t":                    "",
	} {
		got := CheckPassword(password)
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("CheckPassword(%q) = %q, want %q", password, got, want)
		}
	}
}

// The list holds nothing that another rule refuses already, and is kept as documented.
func TestCommonPasswordsList(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(commonPasswords, "\n"), "\n")
	if len(lines) < 400 {
		t.Errorf("only %d passwords", len(lines))
	}
	if !slices.IsSorted(lines) {
		t.Error("not sorted")
	}
	for i, line := range lines {
		if utf8.RuneCountInString(line) < MinPassword || line != strings.ToLower(line) || (i > 0 && lines[i-1] == line) {
			t.Errorf("line %d: %q is short, not in lower case, or twice", i+1, line)
		}
	}
}
