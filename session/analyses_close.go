package session

import (
	"context"
	"fmt"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

const (
	// toldWait bounds how long a model may take for its part of a report.
	toldWait = 20 * time.Second
	// closeMost is how many conversations a node sums up at a time, one after the other.
	closeMost = 2
)

// closeOnce sums up a few conversations that have ended, and returns how many it has taken.
func (a *Analyses) closeOnce(ctx context.Context) (taken int) {
	var claims []learn.SummaryClaim
	err := contained(func() (err error) {
		asking, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		claims, err = a.Store.ClaimSummaries(asking, closeMost, claimLease)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			a.Log.Warn("conversations that wait for their report are not read", "err", err)
		}
		return 0
	}
	workOff(ctx, a.Log, claims, func(ctx context.Context, left []learn.SummaryClaim) error {
		return a.Store.HoldSummaries(ctx, left, claimLease)
	}, func(c learn.SummaryClaim) { a.sumUp(ctx, c) })
	return len(claims)
}

// sumUp makes the report on one conversation and stores it.
func (a *Analyses) sumUp(ctx context.Context, c learn.SummaryClaim) {
	l := c.Lesson
	err := contained(func() error {
		told, err := a.told(ctx, l)
		if err != nil {
			return err
		}
		s := l.Counted()
		s.Told = told
		s.Evidence.Rated = a.rated(l)
		saving, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		return a.Store.SaveSummary(saving, l.Conversation, s)
	})
	if err == nil {
		a.count(SummariesMade)
		return
	}
	if ctx.Err() != nil { // the node stops: another goes on
		return
	}
	a.count(SummariesFailed)
	a.Log.Warn("conversation not summed up", "conversation", l.Conversation.ID, "attempt", c.Attempt, "err", err)
	giving, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := contained(func() error { return a.Store.MissSummary(giving, c, learn.SummaryAgain(c.Attempt)) }); err != nil {
		a.Log.Warn("claim not given back", "conversation", l.Conversation.ID, "err", err)
	}
}

// rated counts the learner's words by level; nil where nothing is known of them.
func (a *Analyses) rated(l learn.Lesson) map[learn.Level]int {
	if a.Words == nil {
		return nil
	}
	language := l.Conversation.Language
	return l.Rate(func(word string, level learn.Level) (bool, bool) { return a.Words.Above(language, word, level) })
}

// told asks a model for its part of a report.
func (a *Analyses) told(ctx context.Context, l learn.Lesson) (learn.ToldSummary, error) {
	ctx, cancel := context.WithTimeout(providers.WithTenant(ctx, schoolOf(l.Conversation.TenantID)), toldWait)
	defer cancel()
	answer, err := a.Analyst.Ask(ctx, providers.Question{
		System: learn.SummaryInstruction(l), Prompt: learn.SummaryMaterial(l),
		Name: learn.SummaryName, Schema: learn.SummarySchema(), MaxTokens: learn.SummaryTokens,
	})
	if err != nil {
		return learn.ToldSummary{}, fmt.Errorf("ask: %w", err)
	}
	told, err := learn.ReadSummary(answer.JSON, l)
	told.Provider = vendorModel(a.Analyst.Name(), answer.Model)
	return told, err
}
