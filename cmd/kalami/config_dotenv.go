package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"
)

// defaultEnvFile is read when it is there and no other was named.
const defaultEnvFile = ".env"

// maxValueFile bounds an .env file and the file behind a NAME_FILE variable.
const maxValueFile = 64 << 10

// entry is one assignment of an .env file.
type entry struct {
	name, value string
	line        int
}

// readEnvFile reads and parses the file. A missing one is no error unless it was
// named on the command line.
func readEnvFile(path string, named bool) ([]entry, []problem) {
	text, err := readSmallFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case err != nil:
		return nil, []problem{{path, err.Error()}}
	}
	return parseEnvFile(path, text)
}

// parseEnvFile understands the common core of all .env dialects:
//
//	# comment
//	NAME=value up to a # that follows a space
//	export NAME='taken as it is'
//	NAME="with \n, \r, \t, \", \$ and \\"
//
// There is no expansion of $ and no value over several lines. A line that is
// not of this form, and a name given twice, is a problem: a typing error must not
// become a silent default. Problems name the line and never repeat it, because a
// key may stand in it. (The parsers to be had print the line, count none, and let
// the last of two assignments win.)
func parseEnvFile(path, text string) ([]entry, []problem) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, []problem{{path, "is not a UTF-8 text file"}}
	}
	var (
		entries  []entry
		problems []problem
		seen     = map[string]int{}
		line     int
	)
	for raw := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		line++
		name, value, err := parseEnvLine(strings.TrimSuffix(raw, "\r"))
		if first := seen[name]; err == nil && name != "" && first > 0 {
			err = fmt.Errorf("%s was set in line %d already", name, first)
		}
		switch {
		case err != nil:
			problems = append(problems, problem{fmt.Sprintf("%s line %d", path, line), err.Error()})
		case name != "":
			seen[name] = line
			entries = append(entries, entry{name, value, line})
		}
	}
	return entries, problems
}

// parseEnvLine returns an empty name for a line that says nothing.
func parseEnvLine(line string) (name, value string, err error) {
	line = strings.TrimLeft(line, " \t")
	if strings.TrimRight(line, " \t") == "" || line[0] == '#' {
		return "", "", nil
	}
	name, value, ok := strings.Cut(line, "=")
	if after, exported := strings.CutPrefix(name, "export"); exported && after != strings.TrimLeft(after, " \t") {
		name = after
	}
	name = strings.Trim(name, " \t")
	if !ok || !isVariableName(name) {
		return "", "", errors.New("is not NAME=value")
	}
	value, err = parseEnvValue(value)
	return name, value, err
}

// parseEnvValue reads what stands after the equals sign.
func parseEnvValue(s string) (string, error) {
	trimmed := strings.TrimLeft(s, " \t")
	rest := ""
	switch {
	case strings.HasPrefix(trimmed, "'"):
		value, after, ok := strings.Cut(trimmed[1:], "'")
		if !ok {
			return "", errors.New("has no closing single quote")
		}
		s, rest = value, after
	case strings.HasPrefix(trimmed, `"`):
		value, after, err := unquoteDouble(trimmed[1:])
		if err != nil {
			return "", err
		}
		s, rest = value, after
	default:
		return strings.Trim(cutComment(s), " \t"), nil
	}
	if strings.Trim(cutComment(rest), " \t") != "" {
		return "", errors.New("goes on after the closing quote")
	}
	return s, nil
}

// unquoteDouble reads up to the closing double quote.
func unquoteDouble(s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c != '\\':
			b.WriteByte(c)
		case i+1 < len(s) && strings.IndexByte(`"\$nrt`, s[i+1]) >= 0:
			i++
			b.WriteString(map[byte]string{'n': "\n", 'r': "\r", 't': "\t"}[s[i]])
			if strings.IndexByte(`"\$`, s[i]) >= 0 {
				b.WriteByte(s[i])
			}
		default:
			return "", "", errors.New(`has a backslash that is not \", \\, \$, \n, \r or \t; use single quotes`)
		}
	}
	return "", "", errors.New("has no closing double quote")
}

// cutComment removes a comment: a # after a space or tab, and all that follows.
func cutComment(s string) string {
	for i := 1; i < len(s); i++ {
		if s[i] == '#' && (s[i-1] == ' ' || s[i-1] == '\t') {
			return s[:i]
		}
	}
	return s
}

// quoteEnv writes a value so that parseEnvFile reads it back, whatever it holds
// (but NUL and invalid UTF-8, which no variable of ours may).
func quoteEnv(v string) string {
	plain := func(r rune) bool { return isWordRune(r) || strings.ContainsRune("-.,:/@%+=[]", r) }
	switch {
	case !strings.ContainsFunc(v, func(r rune) bool { return !plain(r) }):
		return v
	case !strings.ContainsAny(v, "'\n\r"):
		return "'" + v + "'"
	}
	return `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`, `$`, `\$`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(v) + `"`
}

func isVariableName(s string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') && !strings.ContainsFunc(s, func(r rune) bool { return !isWordRune(r) })
}

// readSmallFile returns the text of a file of at most maxValueFile bytes.
func readSmallFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read: nothing can be lost
	b, err := io.ReadAll(io.LimitReader(f, maxValueFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxValueFile {
		return "", fmt.Errorf("%s is larger than %d KiB", path, maxValueFile>>10)
	}
	return string(b), nil
}
