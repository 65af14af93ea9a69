package failover

import (
	"context"
	"time"

	"kalami/providers"
)

// slowAnswer is the default of [Options.Slow] for an analyst's answer.
const slowAnswer = 30 * time.Second

// Analyst asks an ordered list of analysts. Safe for concurrent use. Close it.
type Analyst struct {
	analysts []providers.Analyst
	rota     *rota
}

var _ providers.Analyst = (*Analyst)(nil)

// NewAnalyst returns an analyst over one or more, the preferred first. Closing the
// analysts is up to who made them.
func NewAnalyst(opt Options, preferred providers.Analyst, others ...providers.Analyst) *Analyst {
	a := &Analyst{analysts: append([]providers.Analyst{preferred}, others...)}
	var names []string
	for _, one := range a.analysts {
		names = append(names, one.Name())
	}
	a.rota = newRota(opt.completed(slowAnswer), Analysis, a.probe, names...)
	return a
}

// Name implements providers.Analyst. Who really answered is in [providers.Answer.Model].
func (a *Analyst) Name() string { return "failover" }

// Close ends the probes under way and waits for them.
func (a *Analyst) Close() { a.rota.close() }

// Ask implements providers.Analyst. Answer.Model is "vendor/model". Any failure of a
// vendor lets the next one answer, since nobody has heard a part of it; when nobody can,
// the error is that of the last one asked, and the others' are in the log.
func (a *Analyst) Ask(ctx context.Context, q providers.Question) (providers.Answer, error) {
	a.rota.budget.earn()
	order := a.rota.order()
	for n, i := range order {
		answer, err := a.ask(ctx, i, q)
		if err == nil {
			return answer, nil
		}
		if n == len(order)-1 || ctx.Err() != nil || providers.KindOf(err) == 0 || !a.rota.budget.move() {
			return providers.Answer{}, providers.Cause(ctx, err)
		}
		a.rota.log(ctx, i, order[n+1], err)
		a.rota.opt.Observer.FailedOver(a.rota.part, BeforeFirst)
	}
	panic("failover: nobody to ask") // there is always the preferred one
}

// ask asks one.
func (a *Analyst) ask(ctx context.Context, i int, q providers.Question) (providers.Answer, error) {
	c, err := a.rota.begin(ctx, i, ForAnalysis)
	if err != nil {
		return providers.Answer{}, err
	}
	answer, err := a.analysts[i].Ask(ctx, q)
	c.first()
	c.settle(err)
	answer.Model = join(a.analysts[i].Name(), answer.Model)
	return answer, err
}

// probe asks an analyst a question of our own.
func (a *Analyst) probe(ctx context.Context, i int) error {
	_, err := a.analysts[i].Ask(ctx, providers.Question{System: "Answer in JSON.", Prompt: "Are you there?", Name: "presence", MaxTokens: 32,
		Schema: []byte(`{"type":"object","properties":{"here":{"type":"boolean"}},"required":["here"],"additionalProperties":false}`)})
	return err
}
