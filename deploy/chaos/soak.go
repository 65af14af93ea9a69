package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// soakRounds is how many crowds of learners come and go in a soak at least.
	soakRounds = 9
	// soakRound is how long a crowd stays at the least.
	soakRound = 30 * time.Second
	// soakQuiet is how long a node may take to put away what a crowd has left, which
	// includes the time for which it waits for clients that were lost.
	soakQuiet = 45 * time.Second
	// soakMemory is how much more memory a node may have at the end.
	soakMemory = 1.05
)

// holding is what a node holds while nobody is there.
type holding struct {
	goroutines, files, memory int
}

// String is for people.
func (h holding) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d MiB", h.goroutines, h.files, h.memory>>20)
}

// soak lets crowds of learners come and go for a while, with faults of any kind between, and
// counts what the first node holds whenever all have gone: it is never stopped, and what it
// holds in the last third is no more than in the first.
func (t *trial) soak(ctx context.Context) error {
	end := time.Now().Add(t.opts.soak)
	var held []holding
	for round := 1; time.Now().Before(end) || len(held) < 3; round++ {
		if err := t.crowd(ctx, min(time.Until(end), max(soakRound, t.opts.soak/soakRounds))); err != nil {
			return err
		}
		h, err := t.nodes[0].quiet(ctx, held)
		if err != nil {
			return err
		}
		held = append(held, h)
		if _, err := fmt.Fprintf(t.out, "round %d: %s holds %v when all have gone\n", round, t.nodes[0].name, h); err != nil {
			return err
		}
	}
	for _, grown := range growth(held) {
		t.wrongf("soak: %s", grown)
	}
	return nil
}

// crowd lets learners come, breaks things for a while, and lets them go.
func (t *trial) crowd(ctx context.Context, stay time.Duration) error {
	defer t.leave()
	leave := time.Now().Add(stay)
	if err := t.join(ctx, t.opts.learners); err != nil {
		return err
	}
	for first := true; first || time.Now().Before(leave); first = false {
		f := t.faults[t.rng.IntN(len(t.faults))]
		if err := t.happen(ctx, f, t.opts.times[f.name]); err != nil {
			return err
		}
	}
	return nil
}

// growth says what there is more of in the last third of the counts, whatever was the
// least of it, than ever in the first third.
func growth(held []holding) (grown []string) {
	third := max(1, len(held)/3)
	compare := func(what string, of func(holding) int, allowed float64) {
		before, after := 0, of(held[len(held)-1])
		for _, h := range held[:third] {
			before = max(before, of(h))
		}
		for _, h := range held[len(held)-third:] {
			after = min(after, of(h))
		}
		if float64(after) > float64(before)*allowed {
			grown = append(grown, fmt.Sprintf("%s have grown from %d to %d", what, before, after))
		}
	}
	compare("goroutines", func(h holding) int { return h.goroutines }, 1)
	compare("open files", func(h holding) int { return h.files }, 1)
	compare("bytes of memory", func(h holding) int { return h.memory }, soakMemory)
	return grown
}

// quiet waits until the node holds no more than before when nobody was there, or has had
// its time, and returns what it holds.
func (n *kalamiNode) quiet(ctx context.Context, before []holding) (h holding, err error) {
	for deadline := time.Now().Add(soakQuiet); ; {
		if err := sleep(ctx, time.Second); err != nil {
			return h, err
		}
		if h, err = n.holds(ctx); err != nil {
			return h, err
		}
		as := func(b holding) bool { return h.goroutines <= b.goroutines && h.files <= b.files }
		if slices.ContainsFunc(before, as) || time.Now().After(deadline) {
			return h, nil
		}
	}
}

// holds counts what the node holds.
func (n *kalamiNode) holds(ctx context.Context) (h holding, err error) {
	files, err := os.ReadDir("/proc/" + strconv.Itoa(n.cmd.Process.Pid) + "/fd")
	if err != nil {
		return h, err
	}
	h.files, h.memory = len(files), n.resident()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+strconv.Itoa(n.metrics)+"/metrics", nil)
	if err != nil {
		return h, err
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return h, err
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if count, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			h.goroutines, err = strconv.Atoi(count)
			return h, err
		}
	}
	return h, fmt.Errorf("%s does not say how many goroutines it has", n.name)
}
