package main

import (
	"context"
	"os"

	"kalami/session"
	"kalami/session/learn"
	"kalami/session/learn/lexicon"
	"kalami/session/verify"
)

// newAnalyses composes what finds out what turns show, for all conversations of this node.
func (a *app) newAnalyses() *session.Analyses {
	return &session.Analyses{
		Analyst: a.parts.analyst, Store: a.history.analyses(a.db), Plans: a.db, Words: a.words, Pronunciation: a.newPronunciation(),
		Log: a.log, Meter: a.metrics, Busy: a.tooBusyToAnalyse,
	}
}

// openWords reads how hard words are: from the lists that come with the program and, if it is
// named, from a folder.
func openWords(dir string) (*lexicon.Lexicon, error) {
	words, err := lexicon.Shipped()
	if err != nil || dir == "" {
		return words, err
	}
	return words.With(os.DirFS(dir))
}

// analysesYield is the load from which on turns are not analysed at once.
const analysesYield = 0.9

// tooBusyToAnalyse says whether the node has better things to do. It is asked by
// conversations and in quiet moments, when the gateway is there.
func (a *app) tooBusyToAnalyse() bool { return a.load() >= analysesYield }

// analyses wraps where analyses are kept.
func (h *history) analyses(s session.AnalysisStore) session.AnalysisStore {
	if h == nil {
		return s
	}
	return historyAnalyses{s, h}
}

// historyAnalyses writes down what was stored.
type historyAnalyses struct {
	session.AnalysisStore
	to verify.Recorder
}

// SaveAnalysis implements [session.AnalysisStore].
func (s historyAnalyses) SaveAnalysis(ctx context.Context, a learn.TurnAnalysis) error {
	err := s.AnalysisStore.SaveAnalysis(ctx, a)
	if err == nil {
		s.to.Record(a.ConversationID, verify.Analysed{Message: a.MessageID})
	}
	return err
}
