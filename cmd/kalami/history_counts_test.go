package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kalami/session/verify"
)

// checkCounts judges the history of a program that has come to its end: it has written down
// what it called and what it held, left nothing behind, and what is planted is found.
func checkCounts(t *testing.T, dir string) {
	t.Helper()
	judge := func() map[verify.Invariant]int {
		t.Helper()
		records, err := readHistories([]string{dir})
		if err != nil {
			t.Fatal(err)
		}
		report, err := verify.Check(t.Context(), verify.Evidence{Records: records})
		if err != nil {
			t.Fatal(err)
		}
		return report.Counts
	}
	records, err := readHistories([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var when, parts []string
	var start verify.Counted
	for _, r := range records {
		switch fact := r.Fact.(type) {
		case verify.Counted:
			when = append(when, fact.When)
			if fact.When == verify.WhenStart {
				start = fact
			}
			t.Logf("%s: %+v", fact.When, fact)
		case verify.VendorCalled:
			parts = append(parts, fact.Part)
		}
	}
	slices.Sort(parts)
	if len(when) < 2 || when[0] != verify.WhenStart || when[len(when)-1] != verify.WhenQuiet || start.Goroutines == 0 {
		t.Errorf("counted at %v", when)
	}
	if got := strings.Join(slices.Compact(parts), " "); got != "analysis llm stt tts" {
		t.Errorf("calls of %q are written down", got)
	}
	if got := judge(); len(got) != 0 {
		t.Errorf("violated by a program that did nothing wrong: %v", got)
	}
	file, err := os.Create(filepath.Join(dir, "planted.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	node := verify.NewWriter(file, records[0].By)
	start.When, start.Goroutines = verify.WhenQuiet, start.Goroutines+1
	node.Record("", start)
	node.Record("", verify.Counted{When: verify.WhenBusy, Sessions: 1, Caps: 2})
	for range 2*len(parts) + 20 {
		node.Record("", verify.VendorCalled{Part: "llm", Vendor: "demo", Why: verify.WhyRetry})
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := judge(), (map[verify.Invariant]int{"I9": 2, "I11": 1}); !maps.Equal(got, want) {
		t.Errorf("found %v of what was planted, want %v", got, want)
	}
}
