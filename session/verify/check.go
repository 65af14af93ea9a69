package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Check tests all invariants on the evidence. An error means that the check could not be
// made; a violation is none.
func Check(ctx context.Context, e Evidence) (*Report, error) {
	r := &Report{Records: len(e.Records), Counts: map[Invariant]int{}}
	if e.Around == 0 {
		e.Around = 5
	}
	files, nodes := e.sort(r)
	if e.Database != nil {
		ids := slices.Sorted(maps.Keys(files))
		if len(e.Records) == 0 {
			ids = nil
		}
		err := e.Database.Conversations(ctx, ids, func(s Stored) error {
			f, ok := files[s.Conversation.ID]
			if !ok {
				f = &caseFile{id: s.Conversation.ID, evidence: &e, report: r}
			}
			delete(files, s.Conversation.ID)
			f.stored = &s
			f.check()
			return ctx.Err()
		})
		if err != nil {
			return nil, fmt.Errorf("verify: database: %w", err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(files)) {
		files[id].check()
	}
	nodes.checkNodes()
	return r, e.checkLogs(r)
}

// sort puts the records of each conversation together, in the order of their times. Each
// writer's stay in their order, as their times never go back. What concerns whole nodes
// comes separately.
func (e *Evidence) sort(r *Report) (conversations map[string]*caseFile, nodes *caseFile) {
	conversations, writers := map[string]*caseFile{}, map[string]bool{}
	nodes = &caseFile{evidence: e, report: r}
	for _, rec := range e.Records {
		writers[rec.By] = true
		f := nodes
		if rec.Conversation != "" {
			if f = conversations[rec.Conversation]; f == nil {
				f = &caseFile{id: rec.Conversation, evidence: e, report: r}
				conversations[rec.Conversation] = f
			}
		}
		f.records = append(f.records, rec)
	}
	r.Writers = len(writers)
	byTime := func(a, b Record) int { return a.At.Compare(b.At) }
	slices.SortStableFunc(nodes.records, byTime)
	for _, f := range conversations {
		slices.SortStableFunc(f.records, byTime)
	}
	return conversations, nodes
}

// caseFile is all that is known of one conversation, or of the nodes.
type caseFile struct {
	id       string
	records  []Record
	stored   *Stored // nil when it is not stored, or there is no database
	evidence *Evidence
	report   *Report
}

// check tests what can be told by one conversation.
func (f *caseFile) check() {
	f.report.Conversations++
	if f.stored != nil {
		f.report.Messages += len(f.stored.Messages)
	}
	for _, i := range invariants() {
		if i.conversation != nil {
			i.conversation(f, i.id)
		}
	}
}

// violated takes down that the invariant is violated, as the record at i shows; i is -1
// when no record does.
func (f *caseFile) violated(id Invariant, i int, format string, args ...any) {
	v := Violation{Invariant: id, Conversation: f.id, What: fmt.Sprintf(format, args...), At: -1}
	if i >= 0 {
		from := max(0, i-f.evidence.Around)
		v.Context = slices.Clone(f.records[from:min(len(f.records), i+f.evidence.Around+1)])
		v.At = i - from
	}
	f.report.violated(v)
}

// writers returns the places of each writer's records, and the writers in the order in
// which they first wrote.
func (f *caseFile) writers() (names []string, places map[string][]int) {
	places = map[string][]int{}
	for i, rec := range f.records {
		if places[rec.By] == nil {
			names = append(names, rec.By)
		}
		places[rec.By] = append(places[rec.By], i)
	}
	return names, places
}
