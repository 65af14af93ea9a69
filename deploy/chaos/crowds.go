package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kalami/session/verify"
)

// storm lets the node die that has all learners, while no other is open for a moment yet, so
// that all come back at once and have to wait: nobody is refused for ever (REL-8).
func storm() fault {
	return fault{name: "storm", takes: 6 * time.Second, short: 1, long: 20, run: func(ctx context.Context, t *trial, times int) (int, error) {
		for range times {
			n := t.anyNode()
			if err := t.gather(ctx, n, "storm"); err != nil {
				return 0, err
			}
			if err := t.moment(ctx, 3*time.Second); err != nil {
				return 0, err
			}
			crowd := t.front.talking(n.address())
			t.front.lead(func(string) bool { return false })
			died := time.Now()
			n.kill()
			err := sleep(ctx, time.Duration(200+t.rng.IntN(800))*time.Millisecond)
			t.scatter()
			if err != nil {
				return 0, err
			}
			opened := time.Now()
			t.allBack(ctx, n, "storm")
			t.figuref("%d clients at once: others open after %v, all back %v later; %s", crowd, opened.Sub(died).Round(time.Millisecond),
				time.Since(opened).Round(time.Millisecond), attempts(t.returnsSince(died)))
			if err := n.start(ctx); err != nil {
				return 0, err
			}
			t.settle(ctx, "storm")
		}
		return times, nil
	}}
}

// attempts says how often clients tried, and how far apart they came back.
func attempts(returns []timedReturn) string {
	if len(returns) == 0 {
		return "nobody had to come back"
	}
	tries := make([]int, len(returns))
	for i, r := range returns {
		tries[i] = r.Attempts
	}
	slices.Sort(tries)
	slices.SortFunc(returns, func(a, b timedReturn) int { return a.at.Compare(b.at) })
	tenth := len(returns) / 10
	return fmt.Sprintf("%d attempts p50, %d at most; the middle eight tenths came within %v", tries[len(tries)/2], tries[len(tries)-1],
		returns[len(returns)-1-tenth].at.Sub(returns[tenth].at).Round(time.Millisecond))
}

// midturn kills nodes in the middle of replies, and sees each of those replies to its end
// before the next: row 7 once more, and REL-4. Each reply that another node goes on with is
// a trial.
func midturn() fault {
	return fault{name: "midturn", takes: 6 * time.Second, short: 2, long: 500, run: func(ctx context.Context, t *trial, times int) (int, error) {
		before := t.heard()
		for t.heard().broken-before.broken < times {
			n, err := t.whileHeard(ctx)
			if err != nil {
				return 0, err
			}
			under := t.underWay()
			n.kill()
			t.allBack(ctx, n, "midturn")
			if err := n.start(ctx); err != nil {
				return 0, err
			}
			t.heardOut(ctx, under, "midturn")
		}
		after := t.heard()
		t.figuref("%d replies were broken off in the middle; %d sentences were heard, %d of them once more; %d replies were heard to their ends that were not all that the tutor had to say",
			after.broken-before.broken, after.sentences-before.sentences, after.repeated-before.repeated, after.torn-before.torn)
		if n := after.torn - before.torn; n > 0 {
			t.wrongf("midturn: %d replies lack sentences", n)
		}
		return after.broken - before.broken, nil
	}}
}

// whileHeard waits for a random moment while somebody hears the tutor, and returns the node
// with most learners.
func (t *trial) whileHeard(ctx context.Context) (*kalamiNode, error) {
	if err := t.moment(ctx, 2*time.Second); err != nil {
		return nil, err
	}
	for len(t.underWay()) < (len(t.talkers)+1)/2 {
		if err := sleep(ctx, time.Duration(1+t.rng.IntN(50))*time.Millisecond); err != nil {
			return nil, err
		}
	}
	return t.fullest(), context.Cause(ctx)
}

// underWay are the replies that are not over, by their learners.
func (t *trial) underWay() map[*talker]string {
	m := map[*talker]string{}
	for _, k := range t.talkers {
		if id := k.playing(); id != "" {
			m[k] = id
		}
	}
	return m
}

// heardOut waits until these replies are over.
func (t *trial) heardOut(ctx context.Context, under map[*talker]string, after string) {
	deadline := time.Now().Add(signWait)
	for k, id := range under {
		for k.playing() == id && ctx.Err() == nil {
			if time.Now().After(deadline) {
				t.wrongf("%s: a reply to %s was not over %v after it was broken off", after, k.name, signWait)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// hearing counts what learners have heard.
type hearing struct {
	broken    int // replies that another node went on with
	sentences int
	repeated  int // sentences that were heard once more
	torn      int // replies that were heard to their ends and lack something
}

// heard is what all learners have heard so far.
func (t *trial) heard() (all hearing) {
	for _, k := range t.talkers {
		k.notes.mu.Lock()
		h := k.notes.heard
		k.notes.mu.Unlock()
		all.broken, all.sentences, all.repeated, all.torn = all.broken+h.broken, all.sentences+h.sentences, all.repeated+h.repeated, all.torn+h.torn
	}
	return all
}

// refused counts the writes of former owners that the database has refused, by what the
// nodes have written down.
func (t *trial) refused() int {
	files, _ := filepath.Glob(filepath.Join(t.histories, "node-*.jsonl")) // the pattern is well-formed
	n := 0
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue // it is a figure, and no judgement
		}
		_, _ = verify.Read(f, func(r verify.Record) error {
			if w, ok := r.Fact.(verify.WriteRefused); ok && w.Fenced {
				n++
			}
			return nil
		})
		_ = f.Close()
	}
	return n
}
