package failover

import (
	"context"

	"kalami/providers"
)

// Analyst asks an ordered list of analysts. Safe for concurrent use.
type Analyst struct {
	analysts []providers.Analyst
	rota     *rota
}

var _ providers.Analyst = (*Analyst)(nil)

// NewAnalyst returns an analyst over one or more, the preferred first. It starts
// nothing; closing the analysts is up to who made them.
func NewAnalyst(opt Options, preferred providers.Analyst, others ...providers.Analyst) *Analyst {
	analysts := append([]providers.Analyst{preferred}, others...)
	return &Analyst{analysts: analysts, rota: newRota(opt, len(analysts))}
}

// Name implements providers.Analyst. Who really answered is in [providers.Answer.Model].
func (a *Analyst) Name() string { return "failover" }

// Ask implements providers.Analyst. Answer.Model is "vendor/model". Any failure of a
// vendor lets the next one answer, since nobody has heard a part of it; when nobody can,
// the error is that of the last one asked, and the others' are in the log.
func (a *Analyst) Ask(ctx context.Context, q providers.Question) (providers.Answer, error) {
	order := a.rota.order()
	for n, i := range order {
		analyst := a.analysts[i]
		answer, err := analyst.Ask(ctx, q)
		if err == nil {
			a.rota.succeeded(i)
			answer.Model = join(analyst.Name(), answer.Model)
			return answer, nil
		}
		a.rota.failed(i, err)
		if n == len(order)-1 || ctx.Err() != nil || providers.KindOf(err) == 0 {
			return providers.Answer{}, providers.Cause(ctx, err)
		}
		a.rota.log(ctx, "analyst", analyst.Name(), a.analysts[order[n+1]].Name(), err)
	}
	panic("failover: nobody to ask") // there is always the preferred one
}
