package verify

// nothingLeaks is I9: what limits the number of sessions holds as many as there are, and
// when all clients have gone for a while a node holds nothing of theirs, and no more
// goroutines and descriptors than at its start.
func nothingLeaks(f *caseFile, id Invariant) {
	start := map[string]Counted{}
	for i, rec := range f.records {
		c, ok := rec.Fact.(Counted)
		if !ok {
			continue
		}
		if c.Caps != c.Sessions {
			f.violated(id, i, "%s holds %d sessions, and %d are counted against the caps", rec.By, c.Sessions, c.Caps)
		}
		before, known := start[rec.By]
		switch {
		case c.When == WhenStart:
			start[rec.By] = c
		case c.When != WhenQuiet:
		case c.Sessions > 0:
			f.violated(id, i, "%s holds %d sessions and has no clients", rec.By, c.Sessions)
		case c.Keys > before.Keys:
			f.violated(id, i, "%s has left %d keys", rec.By, c.Keys)
		case known && c.Goroutines > before.Goroutines:
			f.violated(id, i, "%s has %d goroutines, and had %d at its start", rec.By, c.Goroutines, before.Goroutines)
		case known && c.Files > before.Files:
			f.violated(id, i, "%s has %d open files, and had %d at its start", rec.By, c.Files, before.Files)
		}
	}
}

// extraAtLeast is how many extra calls are too many however few calls there are: a tenth of
// very few is nothing.
const extraAtLeast = 10

// extraCallsAreFew is I11. Drafts, analyses and probes are counted apart, here not at all.
func extraCallsAreFew(f *caseFile, id Invariant) {
	calls, extra, last := 0, 0, -1
	for i, rec := range f.records {
		v, ok := rec.Fact.(VendorCalled)
		if !ok {
			continue
		}
		switch v.Why {
		case WhyTurn:
			calls++
		case WhyRetry, WhyHedge:
			calls++
			extra, last = extra+1, i
		}
	}
	if extra > extraAtLeast && extra*10 > calls {
		f.violated(id, last, "%d of %d calls to vendors are retries or hedges", extra, calls)
	}
}
