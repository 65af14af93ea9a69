package session

import (
	"context"
	"math/rand/v2"
	"time"

	"kalami/session/learn"
)

const (
	// sweepEvery is how often a node looks for what was left undone, give or take a half: not
	// all nodes at once. sweepMost is how much it takes at a time, one after the other.
	sweepEvery = 2 * time.Second
	sweepMost  = 4
)

// sweep catches up on what was left undone by this node or others, until ctx ends.
func (a *Analyses) sweep(ctx context.Context) {
	for {
		pause := time.NewTimer(sweepEvery/2 + rand.N(sweepEvery))
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
		for a.idle() && a.sweepOnce(ctx) == sweepMost && ctx.Err() == nil {
			// there may be more
		}
		for a.idle() && a.closeOnce(ctx) == closeMost && ctx.Err() == nil {
			// likewise
		}
	}
}

// idle says whether nobody who is talking waits for an analysis.
func (a *Analyses) idle() bool { return len(a.waiting()) == 0 && !a.busy() }

// sweepOnce analyses a few turns that wait, and returns how many it has taken. A store that
// does not answer is asked again the next time.
func (a *Analyses) sweepOnce(ctx context.Context) (taken int) {
	var claims []learn.AnalysisClaim
	err := contained(func() (err error) {
		asking, cancel := context.WithTimeout(ctx, commitTimeout)
		defer cancel()
		claims, err = a.Store.ClaimAnalyses(asking, sweepMost, claimLease)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			a.Log.Warn("turns that wait for their analysis are not read", "err", err)
		}
		return 0
	}
	workOff(ctx, a.Log, claims, func(ctx context.Context, left []learn.AnalysisClaim) error {
		return a.Store.HoldAnalyses(ctx, left, claimLease)
	}, func(c learn.AnalysisClaim) { a.catchUp(ctx, c) })
	return len(claims)
}

// catchUp analyses one turn that was left undone.
func (a *Analyses) catchUp(ctx context.Context, c learn.AnalysisClaim) {
	r := c.Reviewed
	r.Plan = a.plan(ctx, c)
	of := learn.TurnAnalysis{TenantID: c.TenantID, UserID: c.UserID, ProfileID: c.ProfileID, ConversationID: c.ConversationID}
	_, err := a.analyse(ctx, r, of, schoolOf(c.TenantID))
	switch kind := learn.KindOf(err); {
	case err == nil:
		a.count(AnalysesCaughtUp)
		return
	case ctx.Err() != nil: // the node stops
		return
	case kind == learn.NotFound || kind == learn.Conflict: // deleted, or changed meanwhile
	default:
		a.count(AnalysesFailed)
	}
	a.Log.Warn("turn not analysed", "conversation", c.ConversationID, "message", r.Learner.ID, "attempt", c.Attempt, "err", err)
	giving, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err = contained(func() error { return a.Store.MissAnalysis(giving, c, learn.AnalysisAgain(c.Attempt)) })
	if err != nil { // its lease ends by itself
		a.Log.Warn("claim not given back", "message", r.Learner.ID, "err", err)
	}
}

// plan is what the conversation of a claim practises; nothing when that is not known.
func (a *Analyses) plan(ctx context.Context, c learn.AnalysisClaim) (p learn.Plan) {
	if a.Plans == nil {
		return p
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	err := contained(func() (err error) {
		p, err = a.Plans.Plan(ctx, c.TenantID, c.UserID, c.ConversationID)
		return err
	})
	if err != nil {
		a.Log.Warn("plan not read", "conversation", c.ConversationID, "err", err)
	}
	return p.Within()
}
