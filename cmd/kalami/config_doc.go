package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// writeConfigTable writes every variable as Markdown, a table per group.
func writeConfigTable(w io.Writer) error {
	var b strings.Builder
	group := ""
	for _, f := range configFields(&Config{}) {
		if f.group != group {
			group = f.group
			fmt.Fprintf(&b, "\n**%s**\n\n| Variable | Default | Meaning |\n|---|---|---|\n", group)
		}
		def := ""
		if f.def != "" {
			def = "`" + f.def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, def, strings.ReplaceAll(f.meaning(), "|", `\|`))
	}
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// writeEnvExample writes every variable as an .env file in which all of them are
// commented out.
func writeEnvExample(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`# Every variable that Kalami reads. Copy this file to .env and remove the # before
# what you change; without any, a demo tutor runs. Made by: kalami config doc --env
#
# Stronger than this file are the environment and, above it, flags. A variable marked
# [file] may be given as NAME_FILE instead: the path of a file that holds the value.
`)
	group := ""
	for _, f := range configFields(&Config{}) {
		if f.group != group {
			group = f.group
			fmt.Fprintf(&b, "\n# --- %s ---\n", group)
		}
		mark := ""
		if f.secret {
			mark = " [file]"
		}
		b.WriteString("\n")
		for line := range wrapped(f.meaning()+mark, 96) {
			b.WriteString("# " + line + "\n")
		}
		fmt.Fprintf(&b, "#%s=%s\n", f.name, quoteEnv(f.def))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// meaning is the field's documentation with its limits.
func (f *field) meaning() string {
	if f.min == "" {
		return f.doc
	}
	return fmt.Sprintf("%s (%s to %s)", f.doc, f.min, f.max)
}

// wrapped yields s in lines of at most width bytes where its words allow.
func wrapped(s string, width int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		line := ""
		for word := range strings.FieldsSeq(s) {
			if line != "" && len(line)+1+len(word) > width {
				if !yield(line) {
					return
				}
				line = ""
			}
			line = strings.TrimPrefix(line+" "+word, " ")
		}
		if line != "" {
			yield(line)
		}
	}
}

// writeEffective writes the configuration in use, secrets masked, each variable
// with where its value came from.
func writeEffective(w io.Writer, l *Loaded) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range configFields(&l.Config) {
		if _, err := fmt.Fprintf(tw, "%s=%s\t# %s\n", f.name, quoteEnv(f.printable()), l.Origin(f.name)); err != nil {
			return err
		}
	}
	return tw.Flush()
}
