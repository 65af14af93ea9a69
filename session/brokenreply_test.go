package session

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/failover"
)

// courses is a reply whose every sentence is another.
const courses = "Uno es pescado. Dos es pollo asado, con patatas. Tres es una sopa de verduras muy buena. ¿Cuatro o cinco te gusta más?"

// reader is a tutor that reads courses out, 20 ms a word, and goes on with it where it is
// told that it broke off. Its first call goes wrong.
type reader struct {
	name    string
	at      int    // words that are said well before
	trouble string // cut, error, end, stall, never, or none
	again   bool   // it begins with the sentence before, as models do

	mu    sync.Mutex
	calls []providers.Prompt
}

func (r *reader) Name() string { return r.name }

func (r *reader) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	return func(yield func(providers.Delta, error) bool) {
		r.mu.Lock()
		r.calls = append(r.calls, p)
		trouble := r.trouble
		if len(r.calls) > 1 {
			trouble = ""
		}
		r.mu.Unlock()
		for i, word := range strings.SplitAfter(r.text(p.Said), " ") {
			if trouble != "" && i == r.at {
				r.fail(ctx, trouble, yield)
				return
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				yield(providers.Delta{}, context.Cause(ctx))
				return
			}
			if !yield(providers.Delta{Text: word}, nil) {
				return
			}
		}
		if trouble != "" {
			r.fail(ctx, trouble, yield)
			return
		}
		yield(providers.Delta{Done: true, Model: "m"}, nil)
	}
}

// text is what is left of the courses, and of a stranger's beginning.
func (r *reader) text(said string) string {
	rest, ok := strings.CutPrefix(courses, said)
	switch {
	case !ok:
		return "NEVER SAID: " + said
	case strings.TrimSpace(rest) == "":
		return "."
	case r.again && said != "":
		from := strings.LastIndex(strings.TrimRight(said, ". "), ".") + 1
		return said[from:] + rest
	}
	return rest
}

func (r *reader) fail(ctx context.Context, trouble string, yield func(providers.Delta, error) bool) {
	switch trouble {
	case "stall":
		<-ctx.Done()
		yield(providers.Delta{}, context.Cause(ctx))
	case "error":
		yield(providers.Delta{}, &providers.Error{Kind: providers.Overloaded, Vendor: r.name, Op: "reply"})
	case "cut":
		yield(providers.Delta{}, &providers.Error{Kind: providers.Unavailable, Vendor: r.name, Op: "reply"})
	}
}

// readMenu has the courses read by these tutors as the opener, and returns the session when
// it was heard.
func readMenu(t *testing.T, first providers.Tutor, others ...providers.Tutor) *talk {
	t.Helper()
	k := newTalk(t)
	tutor := failover.NewTutor(failover.Options{}, first, others...)
	k.host.Tutor = tutor
	k.start()
	k.greeted()
	k.finish()
	tutor.Close()
	return k
}

// wholeMenu checks that it was heard, captioned and stored, once.
func (k *talk) wholeMenu() {
	k.t.Helper()
	if got := k.captions(); got != courses {
		k.t.Errorf("the learner reads %q", got)
	}
	if m := k.journal.stored(); len(m) != 1 || m[0].Content != courses || m[0].Heard != courses {
		k.t.Errorf("stored %+v", m)
	}
	if done := eventsOf[ResponseDone](k.conn); len(done) != 1 || done[0].Response.Status != "completed" {
		k.t.Errorf("ended as %+v", done)
	}
	if f := eventsOf[Failure](k.conn); len(f) != 0 {
		k.t.Errorf("the learner is told of %+v", f)
	}
}

// A model that breaks off at any word, in any way, is followed by another one, which goes
// on from what the learner has heard: no sentence is missing and none comes twice.
func TestReplySurvivesItsModel(t *testing.T) {
	words := len(strings.SplitAfter(courses, " "))
	for _, trouble := range []string{"cut", "error", "end", "stall"} {
		for at := range words + 1 {
			for _, again := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s at %d again %v", trouble, at, again), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						a := &reader{name: "a", at: at, trouble: trouble}
						b := &reader{name: "b", again: again}
						k := readMenu(t, a, b)
						k.wholeMenu()
						if len(a.calls) != 1 || len(b.calls) != 1 {
							t.Errorf("asked %d and %d times", len(a.calls), len(b.calls))
						}
						if who := k.journal.stored()[0].Provider; who != "b/m" && who != "a+b/m" {
							t.Errorf("made by %q", who)
						}
					})
				})
			}
		}
	}
}

// The only model there is goes on with its own reply.
func TestReplySurvivesTheOnlyModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &reader{name: "a", at: 9, trouble: "cut"}
		readMenu(t, a).wholeMenu()
		if len(a.calls) != 2 || a.calls[1].Said == "" || !strings.HasPrefix(courses, a.calls[1].Said) {
			t.Errorf("asked with %+v", a.calls)
		}
	})
}

// Models that break off one after the other are followed by the next, within bounds.
func TestReplySurvivesTwoModels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, c := &reader{name: "a", at: 6, trouble: "cut"}, &reader{name: "b", at: 6, trouble: "stall"}, &reader{name: "c"}
		readMenu(t, a, b, c).wholeMenu()
		if len(c.calls) != 1 || fmt.Sprint(c.calls[0].Avoid) != "[a b]" {
			t.Errorf("the third was asked with %+v", c.calls)
		}
	})
}

// A turn waits for its first word no longer than its deadline; then the tutor apologises.
func TestTurnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		k := newTalk(t)
		tutor := failover.NewTutor(failover.Options{}, &reader{name: "a", trouble: "stall"}, &reader{name: "b", trouble: "stall"})
		k.host.Tutor = tutor
		k.start()
		k.until("the learner hears something", func() bool { return k.captions() != "" })
		if took := time.Since(began); took < turnDeadline || took > turnDeadline+time.Second {
			t.Errorf("apologised after %v", took)
		}
		k.finish()
		tutor.Close()
		if f := eventsOf[Failure](k.conn); len(f) != 1 || f[0].Error.Code != LLMUnavailable {
			t.Errorf("failures %+v", f)
		}
	})
}
