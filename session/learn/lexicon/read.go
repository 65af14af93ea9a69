package lexicon

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"kalami/session/learn"
)

const (
	// fileMost is how big a list may be, in bytes, and headwordMost how long a headword, in
	// characters.
	fileMost, headwordMost = 8 << 20, 80
	// separators stand between the forms of a headword.
	separators = "/"
)

// readLists reads all lists of a directory, by language. Files with other endings than .csv,
// such as licences, are left alone.
func readLists(dir fs.FS) (map[string]map[string]learn.Level, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	lists := map[string]map[string]learn.Level{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || path.Ext(name) != ".csv" {
			continue
		}
		code, _, _ := strings.Cut(strings.TrimSuffix(name, ".csv"), "-")
		language, ok := learn.LanguageByCode(code)
		if !ok {
			return nil, fmt.Errorf("lexicon: %s: its name does not begin with a language, as in en.csv or en-more.csv", name)
		}
		b, err := readFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("lexicon: %w", err)
		}
		if lists[language.Code] == nil {
			lists[language.Code] = map[string]learn.Level{}
		}
		if err := read(b, lists[language.Code]); err != nil {
			return nil, fmt.Errorf("lexicon: %s: %w", name, err)
		}
	}
	return lists, nil
}

func readFile(dir fs.FS, name string) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is only read
	b, err := io.ReadAll(io.LimitReader(f, fileMost+1))
	if err == nil && len(b) > fileMost {
		err = fmt.Errorf("%s has more than %d bytes", name, fileMost)
	}
	return b, err
}

// read adds the words of one list. Its errors name the line.
func read(list []byte, words map[string]learn.Level) error {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(list, []byte("\ufeff"))))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return errors.New("line 1: must name the columns, headword and CEFR among them")
	}
	headword, cefr := -1, -1
	for i, name := range header {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "headword":
			headword = i
		case "cefr":
			cefr = i
		}
	}
	if headword < 0 || cefr < 0 {
		return errors.New("line 1: must name the columns, headword and CEFR among them")
	}
	for {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			return fmt.Errorf("line %d: %w", e.Line, e.Err)
		}
		if err != nil {
			return err
		}
		line, _ := r.FieldPos(0)
		level, ok := learn.ParseLevel(record[cefr])
		if !ok {
			return fmt.Errorf("line %d: the level must be one of A1, A2, B1, B2, C1, C2", line)
		}
		if err := enter(record[headword], level, words); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// enter adds the forms of one headword.
func enter(headword string, level learn.Level, words map[string]learn.Level) error {
	switch {
	case !utf8.ValidString(headword):
		return errors.New("the headword must be UTF-8")
	case utf8.RuneCountInString(headword) > headwordMost:
		return fmt.Errorf("the headword must have at most %d characters", headwordMost)
	case !strings.ContainsFunc(headword, unicode.IsLetter):
		return errors.New("the headword must have a letter in it")
	}
	for form := range strings.SplitSeq(headword, separators) {
		form = learn.Fold(form)
		if form == "" || strings.Contains(form, " ") {
			continue
		}
		if known, ok := words[form]; !ok || level < known {
			words[form] = level
		}
	}
	return nil
}
