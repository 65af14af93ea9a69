// Package evaluation measures how well a language model corrects learners: it asks for the
// analysis of a set of utterances whose mistakes are known, of which more than a third have
// none, and counts.
//
// The set is our own: 25 utterances in each of six languages (set/es.tsv and so on), one a
// line, with the wrong part, the right one and the category of its one mistake, if it has
// one. What it measures is what learners see, after all checks: a correction that is withheld
// does not count, and one that was dropped never was.
//
// A correction is right when the utterance reads with it as it should, whatever part of it
// was marked. Precision weighs twice as much as recall (F0.5), as is usual in the field: a
// learner who is corrected wrongly is harmed more than one who is not corrected.
//
// set/recorded.jsonl holds answers to the set that were written by script, with the faults
// that models have: mistakes that are missed, right sentences that are corrected, quotes that
// nobody said, corrections that change nothing, explanations in another language.
package evaluation

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"kalami/session/learn"
)

//go:embed set
var set embed.FS

// Utterance is one of the set.
type Utterance struct {
	ID       string // "es-07"
	Reviewed learn.Reviewed
	// Wrong and Right are the mistake and what should stand there, Category its kind; all are
	// empty for an utterance without a mistake.
	Wrong, Right string
	Category     learn.Category
}

// Languages are those of the set.
func Languages() []string { return []string{"es", "fr", "de", "it", "pt", "en"} }

// Set returns the utterances of these languages, or of all for none. The learners of English
// speak Spanish, all others English; their level is A2.
func Set(languages ...string) ([]Utterance, error) {
	if len(languages) == 0 {
		languages = Languages()
	}
	var all []Utterance
	for _, l := range languages {
		if !slices.Contains(Languages(), l) {
			return nil, fmt.Errorf("evaluation: there are no utterances in %q", l)
		}
		text, err := set.ReadFile("set/" + l + ".tsv")
		if err != nil {
			return nil, err
		}
		some, err := read(l, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// read reads the file of a language: what the tutor had asked, and then the utterances.
func read(language, text string) (all []Utterance, err error) {
	question := ""
	native := "en"
	if language == native {
		native = "es"
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if q, ok := strings.CutPrefix(line, "# "); ok {
			question = q
			continue
		}
		fields := strings.Split(line, "\t")
		u := Utterance{ID: fmt.Sprintf("%s-%02d", language, len(all)+1), Reviewed: learn.Reviewed{Language: language, NativeLanguage: native, Level: learn.A2,
			Question: question, Learner: learn.Message{Content: fields[0]}}}
		u.Reviewed.Learner.ID = u.ID
		switch {
		case len(fields) == 1:
		case len(fields) == 4 && strings.Contains(fields[0], fields[1]) && slices.Contains(learn.Categories(), learn.Category(fields[3])):
			u.Wrong, u.Right, u.Category = fields[1], fields[2], learn.Category(fields[3])
		default:
			return nil, fmt.Errorf("evaluation: %s is not well-formed", u.ID)
		}
		all = append(all, u)
	}
	return all, nil
}

// Analyse says what an utterance shows, as it is done for learners.
type Analyse func(ctx context.Context, r learn.Reviewed) (learn.TurnAnalysis, error)

// Run asks for the analysis of each utterance, some at a time, and counts. What fails is
// counted; only the end of ctx is an error.
func Run(ctx context.Context, all []Utterance, atOnce int, analyse Analyse) (Report, error) {
	results := make([]result, len(all))
	next := make(chan int)
	var workers sync.WaitGroup
	for range max(1, atOnce) {
		workers.Go(func() {
			for i := range next {
				a, err := analyse(ctx, all[i].Reviewed)
				results[i] = result{a, err}
			}
		})
	}
	for i := range all {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return Report{}, context.Cause(ctx)
	}
	var r Report
	for i, u := range all {
		r.add(u, results[i])
	}
	return r, nil
}

type result struct {
	analysis learn.TurnAnalysis
	err      error
}
