package session

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// stallingTutor says the parts of its reply, and nothing for a while between them.
type stallingTutor struct {
	parts []string
	while time.Duration
}

func (t *stallingTutor) Name() string { return "stalling" }

func (t *stallingTutor) Reply(ctx context.Context, _ providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		for i, part := range t.parts {
			if i > 0 {
				select {
				case <-time.After(t.while):
				case <-ctx.Done():
					yield(providers.Delta{}, context.Cause(ctx))
					return
				}
			}
			if !yield(providers.Delta{Text: part}, nil) {
				return
			}
		}
		yield(providers.Delta{Done: true, Model: "stalling/1"}, nil)
	}
}

// A model that stalls keeps the learner waiting no longer than a pause: what makes sense
// is spoken, and nothing of the reply is lost.
func TestModelStalls(t *testing.T) {
	for name, c := range map[string]struct {
		parts  []string
		within time.Duration // of the beginning, until something is heard
		while  time.Duration // between the parts; 0 for 1.5 s
	}{
		"behind a sentence":        {[]string{"¡Muy bien!", " ¿Y usted?"}, stallTime, 0},
		"within a phrase":          {[]string{"Hoy tenemos un pescado muy", " rico y también sopa"}, 1500 * time.Millisecond, 0},
		"before a preposition":     {[]string{"Hoy tenemos un pescado fresco del", " mar y sopa"}, 1500 * time.Millisecond, 0},
		"behind its object":        {[]string{"Hoy tenemos un pescado fresco con pa", "tatas y sopa"}, stallTime, 0},
		"while the learner waits":  {[]string{"Pues,", " no sé."}, stallTime, 0},
		"not behind a conjunction": {[]string{"Y,", " bueno, no sé."}, 1500 * time.Millisecond, 0},
		"for the second time":      {[]string{"Pues", ",", " no sé."}, 1500*time.Millisecond + stallTime, 0},
		"or is only slow":          {[]string{"Pues,", " no", " sé."}, 400 * time.Millisecond, 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.host.Tutor = &stallingTutor{c.parts, cmpOr(c.while, 1500*time.Millisecond)}
				began := time.Now()
				k.start()
				k.until("it speaks", func() bool {
					return slices.ContainsFunc(k.conn.all(), func(w written) bool { return len(w.frame.Audio) > 0 })
				})
				if took := time.Since(began); took > c.within+40*time.Millisecond || took < c.within {
					t.Errorf("it speaks after %v, want %v", took, c.within)
				}
				k.greeted()
				k.finish()
				if got, want := k.captions(), strings.Join(c.parts, ""); got != want {
					t.Errorf("captions %q, want %q", got, want)
				}
			})
		})
	}
}
