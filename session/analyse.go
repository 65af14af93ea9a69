package session

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// analysisWait bounds how long a model may take to say what there is to say about a turn.
const analysisWait = 10 * time.Second

// Analyse asks an analyst what a turn shows and returns what holds against the turn: without
// owner, with ids for the corrections. It takes ten seconds at the most. A panic in the
// analyst is an error.
func Analyse(ctx context.Context, analyst providers.Analyst, r learn.Reviewed) (a learn.TurnAnalysis, err error) {
	ctx, cancel := context.WithTimeout(ctx, analysisWait)
	defer cancel()
	began := time.Now()
	err = contained(func() error {
		answer, err := analyst.Ask(ctx, providers.Question{
			System: learn.AnalysisInstruction(r), Prompt: learn.AnalysisMaterial(r),
			Name: learn.AnalysisName, Schema: learn.AnalysisSchema(), MaxTokens: learn.AnalysisTokens,
		})
		if err != nil {
			return fmt.Errorf("ask: %w", err)
		}
		if a, err = learn.ReadAnalysis(answer.JSON, r); err != nil {
			return err
		}
		a.Provider = vendorModel(analyst.Name(), answer.Model)
		return nil
	})
	if err != nil {
		return learn.TurnAnalysis{}, err
	}
	for i := range a.Corrections {
		a.Corrections[i].ID = newID("")
	}
	a.Took = time.Since(began)
	return a, nil
}

// contained runs f; a panic in it is its error.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}
