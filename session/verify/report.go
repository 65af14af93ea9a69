package verify

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Invariant is the short name of a promise, "I1" to "I12".
type Invariant string

// Violation is a promise that was not kept.
type Violation struct {
	Invariant    Invariant
	Conversation string // empty for what concerns no one conversation
	// What says what is wrong, in one line.
	What string
	// Context are the records around the offending one, of the same conversation and in
	// the order of their times; At is the offending one's place in it, or -1 when it is
	// the database alone that shows the violation.
	Context []Record
	At      int
}

// maxViolations is how many violations a report keeps; all are counted.
const maxViolations = 100

// Report is what a check has found.
type Report struct {
	Records       int
	Writers       int
	Conversations int // that were checked
	Messages      int // that are stored in them
	// Acknowledged are the learner's utterances that clients were promised to be kept,
	// Lost those of them that are not, and Duplicated messages that are stored twice.
	Acknowledged, Lost, Duplicated int
	// Count is the number of all violations, and Counts that of each invariant.
	Count  int
	Counts map[Invariant]int
	// Violations are the first hundred.
	Violations []Violation
}

// Line is the line that every run closes with. The run is its name, "chaos" for example;
// the seed may be empty.
func (r *Report) Line(run string, trials int, seed string) string {
	return fmt.Sprintf("%s trials=%d acknowledged=%d acknowledged_lost=%d duplicated=%d violations=%d seed=%s",
		run, trials, r.Acknowledged, r.Lost, r.Duplicated, r.Count, seed)
}

// Print writes what was looked at, the first violation of each invariant with its context,
// and how many more there are.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d records of %d writers, %d conversations with %d messages\n", r.Records, r.Writers, r.Conversations, r.Messages)
	shown := map[Invariant]bool{}
	for _, v := range r.Violations {
		if shown[v.Invariant] {
			continue
		}
		shown[v.Invariant] = true
		v.print(&b)
	}
	for _, i := range invariants() {
		if n := r.Counts[i.id]; n > 1 {
			fmt.Fprintf(&b, "%s: %d violations in all\n", i.id, n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (v Violation) print(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s violated: %s\n", v.Invariant, v.Invariant.says())
	if v.Conversation != "" {
		fmt.Fprintf(b, "  conversation %s\n", v.Conversation)
	}
	fmt.Fprintf(b, "  %s\n", v.What)
	for i, rec := range v.Context {
		mark := "   "
		if i == v.At {
			mark = ">>>"
		}
		text, err := json.Marshal(rec)
		if err != nil {
			text = []byte(err.Error())
		}
		fmt.Fprintf(b, "  %s %s %s\n", mark, rec.At.Format("15:04:05.000000"), text)
	}
}

// violated takes a violation down.
func (r *Report) violated(v Violation) {
	r.Count++
	r.Counts[v.Invariant]++
	if len(r.Violations) < maxViolations {
		r.Violations = append(r.Violations, v)
	}
}

// Add adds what the check of another trial has found.
func (r *Report) Add(o *Report) {
	if r.Counts == nil {
		r.Counts = map[Invariant]int{}
	}
	r.Records += o.Records
	r.Writers += o.Writers
	r.Conversations += o.Conversations
	r.Messages += o.Messages
	r.Acknowledged += o.Acknowledged
	r.Lost += o.Lost
	r.Duplicated += o.Duplicated
	r.Count += o.Count
	for i, n := range o.Counts {
		r.Counts[i] += n
	}
	r.Violations = append(r.Violations, o.Violations...)
	r.Violations = r.Violations[:min(len(r.Violations), maxViolations)]
}
