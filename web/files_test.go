package web_test

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"kalami/web"
)

// eachFile calls f with every file of the page.
func eachFile(t *testing.T, f func(name, text string)) {
	t.Helper()
	count := 0
	err := fs.WalkDir(web.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(web.FS(), name)
		if err != nil {
			return err
		}
		count++
		f(name, string(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 20 {
		t.Fatalf("only %d files are embedded", count)
	}
}

// A strict policy forbids inline code; the page must not need it.
func TestNothingIsInlineAndNothingComesFromElsewhere(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script(?:\s[^>]*)?>\s*[^<\s]|\.innerHTML|\beval\(|new Function`)
	foreign := regexp.MustCompile(`(?i)(?:src|href|url\(|@import|from|import)\s*[=(]?\s*["']?(?:https?:)?//`)
	eachFile(t, func(name, text string) {
		if found := inline.FindString(text); found != "" && !strings.HasSuffix(name, ".js") {
			t.Errorf("%s has something inline: %q", name, found)
		}
		if strings.HasSuffix(name, ".js") {
			for _, bad := range []string{".innerHTML", "eval(", "new Function", `"style",`} {
				if strings.Contains(text, bad) {
					t.Errorf("%s uses %s", name, bad)
				}
			}
		}
		if found := foreign.FindString(text); found != "" {
			t.Errorf("%s refers to another host: %q", name, found)
		}
	})
}

func TestEveryReferenceLeadsToAFile(t *testing.T) {
	module := regexp.MustCompile(`(?m)(?:from|module\()\s*"(\.[^"]+)"`)
	page := regexp.MustCompile(`(?:src|href)="([a-z][^":]*)"`)
	seen := 0
	eachFile(t, func(name, text string) {
		pattern := module
		if strings.HasSuffix(name, ".html") {
			pattern = page
		}
		for _, match := range pattern.FindAllStringSubmatch(text, -1) {
			seen++
			if _, err := fs.Stat(web.FS(), path.Join(path.Dir(name), match[1])); err != nil {
				t.Errorf("%s refers to %s: %v", name, match[1], err)
			}
		}
	})
	if seen < 30 {
		t.Fatalf("only %d references were found: the patterns are wrong", seen)
	}
}

// Every text that is asked for exists, and no module grows beyond what one reads at a sitting.
func TestEveryStringExists(t *testing.T) {
	b, err := fs.ReadFile(web.FS(), "strings.js")
	if err != nil {
		t.Fatal(err)
	}
	known := string(b)
	asked := regexp.MustCompile(`\bt\("([^"]+)"`)
	kind := regexp.MustCompile(`kind: "([a-z-]+)"`)
	seen := 0
	eachFile(t, func(name, text string) {
		for _, match := range asked.FindAllStringSubmatch(text, -1) {
			seen++
			if !strings.Contains(known, `"`+match[1]+`":`) {
				t.Errorf("%s asks for the text %q, which does not exist", name, match[1])
			}
		}
		for _, match := range kind.FindAllStringSubmatch(text, -1) {
			for _, part := range []string{"title", "body"} {
				if key := `"problem.` + match[1] + "." + part + `":`; !strings.Contains(known, key) {
					t.Errorf("%s names a problem without words: %s", name, key)
				}
			}
		}
		if lines := strings.Count(text, "\n"); lines >= 300 {
			t.Errorf("%s has %d lines; split it", name, lines)
		}
	})
	if seen < 60 {
		t.Fatalf("only %d texts were found: the pattern is wrong", seen)
	}
}
