package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// signWait is how long each learner may take, when all is well again, to hear the tutor or
// to be acknowledged.
const signWait = 20 * time.Second

// trial is one cluster, its learners, and the faults that come over them.
type trial struct {
	*cluster
	opts    *options
	faults  []fault
	rng     *rand.Rand
	out     io.Writer
	talkers []*talker
	joined  int           // learners so far
	over    chan struct{} // closed when the learners are to leave
	all     sync.WaitGroup

	mu      sync.Mutex // guards what follows
	done    []outcome
	wrong   []string
	figures []string // of the fault that happens
}

// fault is one kind of thing that goes wrong.
type fault struct {
	name string
	// rows are those of the fault matrix that it covers.
	rows []int
	// run makes it happen so many times; it counts what happened, and waits until what
	// was broken is whole again.
	run func(ctx context.Context, t *trial, times int) (trials int, err error)
	// judge notes what of its outcome must not be, beside what the checker finds; or nil.
	judge func(t *trial, o outcome)
	// fells: it stops any node, also the one that a soak watches.
	fells bool
	// takes is about how long it takes in the short form.
	takes time.Duration
	// short and long are how often it happens in the two profiles; 0 for not at all.
	short, long int
}

// outcome is what came of a fault.
type outcome struct {
	fault   string
	rows    []int
	trials  int
	returns []timedReturn
	// misheard is how often a learner had to say something again.
	misheard int
	took     time.Duration
	// figures are what else was measured.
	figures []string
}

// wrongf notes what must not happen.
func (t *trial) wrongf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
}

// figuref notes something that was measured.
func (t *trial) figuref(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.figures = append(t.figures, fmt.Sprintf(format, args...))
}

// join lets the learners come in, and returns when each has been greeted.
func (t *trial) join(ctx context.Context, number int) error {
	t.over, t.talkers = make(chan struct{}), nil
	say, err := speech(t.opts.speech)
	if err != nil {
		return err
	}
	var here sync.WaitGroup
	door := make(chan struct{}, 16) // so many come in at once
	for range number {
		t.joined++
		k, err := newTalker(t.histories, fmt.Sprintf("learner-%03d", t.joined), rand.New(rand.NewPCG(t.rng.Uint64(), 3)))
		if err != nil {
			return err
		}
		k.notes.answers = t.vendors.answers
		t.talkers = append(t.talkers, k)
		here.Add(1)
		t.all.Go(func() {
			door <- struct{}{}
			begun := sync.OnceFunc(func() { <-door; here.Done() })
			if err := k.talk(ctx, t.front.url(), say, t.over, begun); err != nil {
				k.wrongf("%v", err)
			}
		})
	}
	here.Wait()
	for _, k := range t.talkers {
		if wrong := k.complaints(); len(wrong) > 0 {
			return fmt.Errorf("before anything was broken: %s", wrong[0])
		}
	}
	return context.Cause(ctx)
}

// happen makes a fault happen and sees that everybody talks on.
func (t *trial) happen(ctx context.Context, f fault, times int) error {
	began, misheard := time.Now(), t.misheard()
	n, err := f.run(ctx, t, times)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	t.front.turn(weather{})
	t.settle(ctx, f.name)
	o := outcome{fault: f.name, rows: f.rows, trials: n, took: time.Since(began), misheard: t.misheard() - misheard, returns: t.returnsSince(began)}
	if f.judge != nil {
		f.judge(t, o)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	o.figures, t.figures = t.figures, nil
	t.done = append(t.done, o)
	_, err = fmt.Fprintln(t.out, o)
	return err
}

// returnsSince are all returns since then.
func (t *trial) returnsSince(since time.Time) (all []timedReturn) {
	for _, k := range t.talkers {
		all = append(all, k.returned(since)...)
	}
	return all
}

// misheard is how often learners had to say something again.
func (t *trial) misheard() (n int) {
	for _, k := range t.talkers {
		n += k.misheard()
	}
	return n
}

// settle waits until each learner has a sign of life of the tutor again.
func (t *trial) settle(ctx context.Context, after string) {
	well, deadline := time.Now(), time.Now().Add(signWait)
	for {
		silent := slices.DeleteFunc(slices.Clone(t.talkers), func(k *talker) bool { return k.signedSince(well) })
		if len(silent) == 0 || ctx.Err() != nil {
			return
		}
		if time.Now().After(deadline) {
			for _, k := range silent {
				t.wrongf("%s: %s has heard nothing for %v after all was well again", after, k.name, signWait)
			}
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// leave lets everybody go who has joined.
func (t *trial) leave() {
	if t.over != nil {
		close(t.over)
	}
	t.all.Wait()
	for _, k := range t.talkers {
		t.wrong = append(t.wrong, k.complaints()...)
	}
}

// String is a line for people.
func (o outcome) String() string {
	var warm, cold, restarted, fresh, planned int
	var away []time.Duration
	for _, r := range o.returns {
		switch {
		case r.Fresh:
			fresh++
		case r.Restarted:
			restarted++
		case r.Warm:
			warm++
		default:
			cold++
		}
		if r.Planned {
			planned++
		} else {
			away = append(away, r.Away)
		}
	}
	slices.Sort(away)
	line := fmt.Sprintf("%-14s %d trials in %.1f s; %d returns: %d warm, %d by another node, %d restarted, %d new sessions; %d of them planned",
		o.fault, o.trials, o.took.Seconds(), len(o.returns), warm, cold, restarted, fresh, planned)
	if len(away) > 0 {
		line += fmt.Sprintf("; away %v p50, %v p99, %v at most", quantile(away, 0.5), quantile(away, 0.99), quantile(away, 1))
	}
	if len(o.rows) > 0 {
		line += fmt.Sprintf("; rows %v", o.rows)
	}
	for _, f := range o.figures {
		line += "\n           " + f
	}
	return line
}

// quantile is that of sorted values, rounded for people.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].Round(time.Millisecond)
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
