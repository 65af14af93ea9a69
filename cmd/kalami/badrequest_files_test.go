package main

import (
	"net/http"
	"strings"
)

// fileMisuses are what is wrong with files of cards.
func fileMisuses() []misuse {
	return []misuse{
		{"a bad file", http.StatusUnprocessableEntity, badFiles},
		{"a file of a wrong type", http.StatusUnsupportedMediaType, wrongFiles},
	}
}

// badFiles are broken somewhere; the answer names the line.
func badFiles(p *people, op describedOperation, r operationRow) (all []attempt) {
	if r.file == "" {
		return nil
	}
	right := "house\tla casa\n"
	for name, bad := range map[string]struct{ content, field string }{
		"empty":               {"", "body"},
		"only first lines":    {"#separator:tab\n#html:true\n", "body"},
		"only comments":       {"# a\n# b\n", "body"},
		"one column":          {"house\n", "line 1"},
		"half a line":         {right + right + "dog", "line 3"},
		"an open quote":       {right + "\"dog\tel perro\n" + right, "line 2"},
		"text behind a quote": {right + "\"dog\"s\tel perro\n", "line 2"},
		"no answer":           {right + right + "dog\t \n", "line 3"},
		"a separator of two":  {"#separator:--\n" + right, "line 1"},
		"a column of letters": {"#html:true\n#tags column:x\n" + right, "line 2"},
		"a column too far":    {"#tags column:9\n" + right, "line 2"},
		"other columns":       {"#columns:Front\tBack\tTags\n" + right, "line 2"},
		"a kind of its own":   {"#separator:tab\n#columns:Front\tBack\tKind\ndog\tel perro\tguess\n", "line 3"},
		"not UTF-8":           {right + right + "dog\tel perr\xf3\n", "line 3"},
		"null bytes":          {right + "dog\tel\x00perro\n", "line 2"},
		"turned letters":      {right + "dog\t\u202eel perro\n", "line 2"},
		"a long field":        {right + strings.Repeat("x", 30_000) + "\ty\n", "line 2"},
		"a long text":         {right + strings.Repeat("é", 501) + "\ty\n", "line 2"},
		"an archive":          {"PK\x03\x04\xff", "line 1"},
		"many columns":        {strings.Repeat("x\t", 200) + "\n", "line 1"},
		"many cards":          {strings.Repeat("a\tb\n", 10_001), "line 10001"},
	} {
		a := p.right(op, r)
		a.name, a.body, a.field = name, bad.content, bad.field
		all = append(all, a)
	}
	return all
}

func wrongFiles(p *people, op describedOperation, r operationRow) (all []attempt) {
	if r.file == "" {
		return nil
	}
	for _, mt := range []string{"application/json", "application/zip", "multipart/form-data; boundary=x", "text/plain; charset", "*/*"} {
		a := p.right(op, r)
		a.name, a.contentType = mt, mt
		all = append(all, a)
	}
	zipped := p.right(op, r)
	zipped.name, zipped.header = "gzip", map[string]string{"Content-Encoding": "gzip"}
	return append(all, zipped)
}
