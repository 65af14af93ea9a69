package verify

import "slices"

// codesAreDocumented is I12. A connection that is lost has no code.
func codesAreDocumented(f *caseFile, id Invariant) {
	if f.evidence.CloseCodes == nil {
		return
	}
	for i, rec := range f.records {
		if c, ok := rec.Fact.(Closed); ok && c.Code != 0 && !slices.Contains(f.evidence.CloseCodes, c.Code) {
			f.violated(id, i, "a socket of %s was closed with %d, which no client is told of", rec.By, c.Code)
		}
	}
}
