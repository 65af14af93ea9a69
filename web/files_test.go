package web_test

import (
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
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
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
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
		if found := foreign.FindString(comment.ReplaceAllString(text, "")); found != "" {
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
	known := strings.Join(slices.Collect(maps.Keys(texts(t, "en"))), "\n") + "\n"
	asked := regexp.MustCompile(`\bt\("([^"]+)"`)
	kind := regexp.MustCompile(`kind: "([a-z-]+)"`)
	seen := 0
	eachFile(t, func(name, text string) {
		for _, match := range asked.FindAllStringSubmatch(text, -1) {
			seen++
			if !strings.Contains(known, match[1]+"\n") {
				t.Errorf("%s asks for the text %q, which does not exist", name, match[1])
			}
		}
		for _, match := range kind.FindAllStringSubmatch(text, -1) {
			for _, part := range []string{"title", "body"} {
				if key := "problem." + match[1] + "." + part; !strings.Contains(known, key+"\n") {
					t.Errorf("%s names a problem without words: %s", name, key)
				}
			}
		}
		if lines := strings.Count(text, "\n"); lines >= 300 && !strings.HasPrefix(name, "uplot/") { // it is not ours
			t.Errorf("%s has %d lines; split it", name, lines)
		}
	})
	if seen < 60 {
		t.Fatalf("only %d texts were found: the pattern is wrong", seen)
	}
}

// texts are what the tables of one of the page's languages hold, by their keys.
func texts(t *testing.T, language string) map[string]string {
	t.Helper()
	entry := regexp.MustCompile(`(?m)^  "([^"]+)":\s+"((?:[^"\\]|\\.)*)",$`)
	all := map[string]string{}
	names, err := fs.Glob(web.FS(), "strings/"+language+"*.js")
	if err != nil || len(names) < 3 {
		t.Fatalf("the tables of %s are %v, %v", language, names, err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(web.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range entry.FindAllStringSubmatch(string(b), -1) {
			if _, twice := all[match[1]]; twice {
				t.Errorf("%s has a second text for %s", name, match[1])
			}
			all[match[1]] = match[2]
		}
	}
	if len(all) < 200 {
		t.Fatalf("only %d texts of %s were found: the pattern is wrong", len(all), language)
	}
	return all
}

// Each of the page's languages says everything, about the same things.
func TestLanguagesSayTheSame(t *testing.T) {
	name := regexp.MustCompile(`\{\w+\}`)
	names := func(text string) []string {
		found := name.FindAllString(text, -1)
		slices.Sort(found)
		return found
	}
	english, spanish := texts(t, "en"), texts(t, "es")
	for key, text := range english {
		other, ok := spanish[key]
		if !ok {
			t.Errorf("there is no Spanish for %q", key)
		} else if !slices.Equal(names(text), names(other)) {
			t.Errorf("%q names %v in English and %v in Spanish", key, names(text), names(other))
		}
	}
	for key := range spanish {
		if _, ok := english[key]; !ok {
			t.Errorf("there is no English for %q", key)
		}
	}
}
