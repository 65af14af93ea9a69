package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/gateway"
	"kalami/session/verify"
)

const (
	nodesOfTrial   = 3
	clientsOfTrial = 6
	lengthOfTrial  = 10 * time.Minute // of virtual time, with faults
	briefly        = 3 * time.Minute
)

// trial holds one world from its seed, and returns what the checker found. Everything that
// it starts has ended then.
func trial(t *testing.T, seed uint64, length time.Duration, p plant) (r *verify.Report, w *world) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w = newWorld(seed, nodesOfTrial, clientsOfTrial, p)
		over := make(chan struct{})
		go func() {
			defer close(over)
			w.talk()
		}()
		w.disturb(length)
		w.settle(over)
		var err error
		r, err = verify.Check(t.Context(), verify.Evidence{Records: w.records, Database: w.store, CloseCodes: gateway.CloseCodes(), Around: 12})
		if err != nil {
			t.Fatal(err)
		}
	})
	return r, w
}

// talk runs all clients and waits for them.
func (w *world) talk() {
	done := make(chan struct{}, len(w.clients))
	for _, c := range w.clients {
		go func() {
			c.run(w.stop)
			done <- struct{}{}
		}()
	}
	for range w.clients {
		<-done
	}
}

// settle ends the faults and the lessons, and counts what is left when all are gone.
func (w *world) settle(over <-chan struct{}) {
	w.work.Wait()
	w.ending.Store(true)
	select {
	case <-over:
	case <-time.After(5 * time.Minute):
		for _, c := range w.clients {
			w.fail("%s has not come to its end: stopped %v, connected %v, last event %d", c.name, c.stopped, c.greeted, c.lastSeq)
		}
		close(w.stop)
		<-over
	}
	time.Sleep(warm + 2*placeFor)
	for _, n := range slices.Concat(w.fallen, w.alive()) {
		n.mu.Lock()
		held, dead := len(n.sessions), n.dead
		n.mu.Unlock()
		if dead {
			held = 0
		}
		w.record(n.name, "", verify.Counted{When: verify.WhenQuiet, Sessions: held, Caps: w.mirror.counted(n)})
	}
	for _, n := range w.alive() {
		n.die()
	}
	for _, n := range slices.Concat(w.fallen, w.alive()) {
		n.work.Wait()
	}
	w.work.Wait()
}

// check fails the test when the trial was not as it is promised.
func check(t *testing.T, r *verify.Report, w *world) {
	t.Helper()
	if r.Count == 0 && len(w.problems) == 0 {
		return
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("KALAMI_TEST_SIMULATION_HISTORY"); file != "" {
		w.keep(t, file)
	}
	t.Errorf("seed %#x: %d violations, problems %q, faults %v, odds %+v\n%s", w.seed, r.Count, w.problems[:min(5, len(w.problems))], w.faults, w.odds, b.String())
}

// keep writes the history down, to be looked at.
func (w *world) keep(t *testing.T, file string) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, r := range w.records {
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// As many conversations as there is time for are held under random faults, and nothing is
// lost.
func TestSimulation(t *testing.T) {
	budget := 20 * time.Second
	if s := os.Getenv("KALAMI_TEST_SIMULATION"); s != "" {
		var err error
		if budget, err = time.ParseDuration(s); err != nil {
			t.Fatalf("KALAMI_TEST_SIMULATION: %v", err)
		}
	}
	seed, once := uint64(time.Now().UnixNano()), false
	if s := os.Getenv("KALAMI_TEST_SIMULATION_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 0, 64); err != nil {
			t.Fatalf("KALAMI_TEST_SIMULATION_SEED: %v", err)
		}
		once = true
	}
	t.Logf("the first seed is %#x", seed)
	began, sum, trials, faults := time.Now(), &verify.Report{}, 0, map[string]int{}
	for first := seed; ; seed += 0x9e3779b97f4a7c15 {
		r, w := trial(t, seed, lengthOfTrial, nothingPlanted)
		check(t, r, w)
		sum.Add(r)
		trials++
		for fault, n := range w.faults {
			faults[fault] += n
		}
		if once || t.Failed() || time.Since(began) > budget {
			hours := float64(trials) * clientsOfTrial * lengthOfTrial.Hours()
			t.Logf("%.1f virtual conversation-hours, %.2f a second; faults: %s", hours, hours/time.Since(began).Seconds(), counts(faults))
			t.Log(sum.Line("simulation", trials, fmt.Sprintf("%#x", first)))
			return
		}
	}
}

func counts(m map[string]int) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
