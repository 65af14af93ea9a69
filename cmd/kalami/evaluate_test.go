package main

import (
	"strings"
	"testing"
)

// TestEvaluate: the recorded answers are measured without a call; without a model there is
// nothing else to measure, and a model that never answers as it should gets no figures.
func TestEvaluate(t *testing.T) {
	got := runKalami(t, nil, "evaluate", "--recorded")
	if got.code != 0 || !strings.Contains(got.stdout, "utterances          150 (54 correct, 96 with a mistake, 0 not analysed)") ||
		!strings.Contains(got.stdout, "precision           0.936") || !strings.Contains(got.stdout, "F0.5                0.932") ||
		!strings.Contains(got.stdout, "false corrections   0.111 of the correct utterances") {
		t.Errorf("%+v", got)
	}
	if got := runKalami(t, nil, "evaluate", "--recorded", "--language", "de"); got.code != 0 || !strings.Contains(got.stdout, "utterances          25 (") {
		t.Errorf("%+v", got)
	}
	if got := runKalami(t, nil, "evaluate"); got.code != 1 || !strings.Contains(got.stderr, "no language model is configured") {
		t.Errorf("%+v", got)
	}
	for _, wrong := range [][]string{{"--language", "tlh"}, {"--at-once", "0"}} {
		if got := runKalami(t, nil, append([]string{"evaluate"}, wrong...)...); got.code != 2 || got.stdout != "" {
			t.Errorf("%q: %+v", wrong, got)
		}
	}
}
