package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEnvFile(t *testing.T) {
	const text = "\ufeff# a comment\r\n" +
		"  \t\n" +
		"PLAIN=value\r\n" +
		"SPACES =  two words \t\n" +
		"export EXPORTED=1\n" +
		"exported=2\n" +
		"EMPTY=\n" +
		"COMMENT=a#b # see #3\n" +
		"NOTHING= # only a comment\n" +
		"HASH=#x\n" +
		"SINGLE='a \\n $HOME \"# ' # comment\n" +
		`DOUBLE="a\n\t\"\\\$HOME # $x"` + "\n" +
		"URL=postgres://u:p@h/db?a=b\n" +
		"QUOTES=it's"
	entries, problems := parseEnvFile(".env", text)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	got := map[string]string{}
	for _, e := range entries {
		got[e.name] = e.value
	}
	want := map[string]string{
		"PLAIN": "value", "SPACES": "two words", "EXPORTED": "1", "exported": "2", "EMPTY": "", "COMMENT": "a#b",
		"NOTHING": "", "HASH": "#x", "SINGLE": `a \n $HOME "# `, "DOUBLE": "a\n\t\"\\$HOME # $x",
		"URL": "postgres://u:p@h/db?a=b", "QUOTES": "it's",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if entries[0].line != 3 {
		t.Errorf("PLAIN is said to be in line %d", entries[0].line)
	}
}

func TestEnvFileProblemsNameTheLine(t *testing.T) {
	_, got := parseEnvFile("x.env", "A=1\njust words\n=1\n2B=1\nA=2\nC='open\nD=\"open\nE=\"\\x\"\nF='a'b\nA B=1\n")
	want := []problem{
		{"x.env line 2", "is not NAME=value"},
		{"x.env line 3", "is not NAME=value"},
		{"x.env line 4", "is not NAME=value"},
		{"x.env line 5", "A was set in line 1 already"},
		{"x.env line 6", "has no closing single quote"},
		{"x.env line 7", "has no closing double quote"},
		{"x.env line 8", `has a backslash that is not \", \\, \$, \n, \r or \t; use single quotes`},
		{"x.env line 9", "goes on after the closing quote"},
		{"x.env line 10", "is not NAME=value"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, text := range []string{"A=\xff", "A=\x00"} {
		if _, got := parseEnvFile("x.env", text); !slices.Equal(got, []problem{{"x.env", "is not a UTF-8 text file"}}) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestEnvFileIsBounded(t *testing.T) {
	path := t.TempDir() + "/big.env"
	write(t, path, strings.Repeat("#", maxValueFile+1))
	if _, got := readEnvFile(path, true); len(got) != 1 || !strings.Contains(got[0].reason, "larger than 64 KiB") {
		t.Errorf("problems: %q", got)
	}
}

// Any text is read without a panic, each line counted once; and any value that
// is written by quoteEnv is read back as it was.
func FuzzEnvFile(f *testing.F) {
	for _, s := range []string{"A=b", "A='b' # c", `A="\n"`, "export A=1\r\n", "A= #", "=", "'", "\\", "\ufeffA=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		entries, problems := parseEnvFile(".env", s)
		if lines := strings.Count(s, "\n") + 1; len(entries)+len(problems) > lines {
			t.Errorf("%d entries and %d problems in %d lines", len(entries), len(problems), lines)
		}
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return
		}
		entries, problems = parseEnvFile(".env", "# first\nVALUE="+quoteEnv(s)+" # last\n")
		if len(problems) > 0 || len(entries) != 1 || entries[0] != (entry{"VALUE", s, 2}) {
			t.Errorf("%q was written as %s and read as %+v %q", s, quoteEnv(s), entries, problems)
		}
	})
}
