package evaluation

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"kalami/session/learn"
)

// Recording is an answer to an utterance that was written down.
type Recording struct {
	ID     string          `json:"id"` // of the utterance
	Answer json.RawMessage `json:"answer"`
}

// Recordings returns the recorded answers, one for each utterance.
func Recordings() ([]Recording, error) {
	raw, err := set.ReadFile("set/recorded.jsonl")
	if err != nil {
		return nil, err
	}
	var all []Recording
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		var r Recording
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("evaluation: recorded answer %d: %w", len(all)+1, err)
		}
		all = append(all, r)
	}
	return all, lines.Err()
}

// Recorded analyses by the recorded answers, which are checked as any model's are.
func Recorded() (Analyse, error) {
	all, err := Recordings()
	if err != nil {
		return nil, err
	}
	answers := make(map[string]json.RawMessage, len(all))
	for _, r := range all {
		answers[r.ID] = r.Answer
	}
	return func(_ context.Context, r learn.Reviewed) (learn.TurnAnalysis, error) {
		answer, ok := answers[r.Learner.ID]
		if !ok {
			return learn.TurnAnalysis{}, fmt.Errorf("evaluation: no answer to %s is recorded", r.Learner.ID)
		}
		return learn.ReadAnalysis(answer, r)
	}, nil
}
