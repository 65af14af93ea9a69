//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kalami/providers/simulate"
)

// The variables that make the load test a load program; deploy/bench/load.sh sets them.
const (
	loadLearners = "KALAMI_LOAD_LEARNERS" // how many; 20 else
	loadTime     = "KALAMI_LOAD_TIME"     // how long they begin new turns; 15s else
	loadReport   = "KALAMI_LOAD_REPORT"   // a file that the figures are written to
)

// Many learners talk at once, some of them over the tutor. No turn is dropped, no mic
// frame lost, every reply is whole or was interrupted, nobody is told of an error or
// warned, the server logs no trouble, and when all have left no goroutine of ours is left.
//
// Everything runs in this one process: the server, the simulated vendors, and the
// learners. The figures are those of all together.
func TestLoad(t *testing.T) {
	number, length := loadWanted(t)
	h, watched := openWatched(t)
	if got := status(t, h.url()+"/livez"); got != http.StatusOK { // it serves from now on
		t.Fatalf("/livez says %d", got)
	}
	before, _ := ourGoroutines()

	alone := &crowd{}
	if os.Getenv(loadReport) != "" { // what the same takes without a crowd
		alone = talkTogether(t, h, 1, length)
	}
	all := talkTogether(t, h, number, length)
	all.checkHeard(watched)
	tries := 1
	for ; len(all.wrong) > 0 && all.stall > stalled && tries < 3; tries++ {
		t.Logf("the machine stood still for %v, so this says nothing about us; again:\n%s", all.stall, strings.Join(all.wrong, "\n"))
		all = talkTogether(t, h, number, length)
		all.checkHeard(watched)
	}
	for _, wrong := range all.wrong {
		t.Error(wrong)
	}
	checkGone(t, h, before)
	if log := h.log.String(); log != "" {
		t.Errorf("the server's log tells of trouble:\n%s", log)
	}
	report := all.report(watched, alone, length)
	if tries > 1 {
		report += fmt.Sprintf("\nIt was try number %d: the machine was too busy before.\n", tries)
	}
	t.Log("\n" + report)
	if path := os.Getenv(loadReport); path != "" && !t.Failed() {
		if err := os.WriteFile(path, []byte(report), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// loadWanted reads the test's variables.
func loadWanted(t *testing.T) (learners int, length time.Duration) {
	t.Helper()
	learners, length = 20, 15*time.Second
	var err error
	if s := os.Getenv(loadLearners); s != "" {
		if learners, err = strconv.Atoi(s); err != nil || learners < 1 {
			t.Fatalf("%s: %q is not a number of learners", loadLearners, s)
		}
	}
	if s := os.Getenv(loadTime); s != "" {
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatalf("%s: %v", loadTime, err)
		}
	}
	return learners, length
}

// openWatched opens a house whose sessions are watched from both ends.
func openWatched(t *testing.T) (*house, *watchedHost) {
	t.Helper()
	watched := &watchedHost{sightings: map[string]*sighting{}}
	h, vars := newHouse(t, backends()[0], simulate.BenchLatency())
	h.prepare = func(a *app) {
		keys, err := a.cfg.SigningKeys()
		if err != nil {
			t.Fatal(err)
		}
		watched.Host = a.newHost()
		if a.gateway, err = a.newGateway(keys, watched); err != nil {
			t.Fatal(err)
		}
	}
	h.open(t, append(vars, "KALAMI_LOG_LEVEL=ERROR", "KALAMI_RATE_LIMITS=false"))
	return h, watched
}

// crowd is what came of many talkers.
type crowd struct {
	talkers   []*talker
	latencies [][]time.Duration // by talker and turn
	length    time.Duration     // of the measured time
	cpu       time.Duration     // in it, of the whole process
	stall     time.Duration     // the longest that the whole process stood still
	wrong     []string          // what must not happen
}

// stalled is how long a process that wants to run every few milliseconds must have stood
// still for its machine to be too busy for talking in real time.
const stalled = 150 * time.Millisecond

// joinAtOnce is how many learners sign up at the same time: their rows are written one
// after the other, and it is talking that is looked at.
const joinAtOnce = 4

// talkTogether lets a number of learners come, talk all together for that long from when
// the last one is there, and leave.
func talkTogether(t *testing.T, h *house, number int, length time.Duration) *crowd {
	t.Helper()
	c := &crowd{talkers: make([]*talker, number), latencies: make([][]time.Duration, number)}
	var said [][]byte
	for _, name := range loadRecordings {
		said = append(said, recording(t, name))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan struct{})
	door := make(chan struct{}, joinAtOnce)
	var here, gone sync.WaitGroup
	here.Add(number)
	for i := range c.talkers {
		k := &talker{number: i, said: said, began: time.Now(), change: make(chan struct{})}
		c.talkers[i] = k
		gone.Go(func() {
			door <- struct{}{}
			leave := sync.OnceFunc(func() { <-door; here.Done() })
			defer leave()
			free, err := k.join(ctx, h.url())
			if err != nil {
				k.broke(fmt.Errorf("does not come in: %w", err))
				return
			}
			defer free()
			if c.latencies[i], err = k.talk(ctx, over, leave); err != nil {
				k.broke(err)
			}
		})
	}
	watching, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { c.stall = longestStall(watching) })
	here.Wait()
	began, cpu := time.Now(), cpuTime()
	time.Sleep(length)
	c.length, c.cpu = time.Since(began), cpuTime()-cpu
	close(over)
	gone.Wait()
	stop()
	watch.Wait()
	for _, k := range c.talkers {
		c.wrong = append(c.wrong, k.check()...)
	}
	return c
}

// checkHeard compares the microphones' frames that were sent with those that the sessions
// have read, to the last one: a learner ends the lesson behind it.
func (c *crowd) checkHeard(h *watchedHost) {
	for _, k := range c.talkers {
		if k.call == nil {
			continue // who did not come in has said so
		}
		if heard, missing := h.heard(k.id); heard != int64(k.call.Sent()) || missing != 0 {
			c.wrong = append(c.wrong, fmt.Sprintf("learner %d: %d frames were sent, the last that was heard is number %d, and %d before it are missing",
				k.number, k.call.Sent(), heard, missing))
		}
	}
}

// longestStall wakes every few milliseconds until ctx ends, and returns by how much it
// was late at the most.
func longestStall(ctx context.Context) (most time.Duration) {
	const every = 5 * time.Millisecond
	for ctx.Err() == nil {
		began := time.Now()
		time.Sleep(every)
		most = max(most, time.Since(began)-every)
	}
	return most
}

// checkGone waits until nothing of ours runs that did not run before.
func checkGone(t *testing.T, h *house, before int) {
	t.Helper()
	for _, free := range h.parts.idle {
		free()
	}
	deadline := time.Now().Add(patience)
	for {
		now, stacks := ourGoroutines()
		if now <= before {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, there were %d before anybody came:\n%s", now, before, stacks)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// cpuTime is the processor time that the process has used.
func cpuTime() time.Duration {
	u := usage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakRSS is the most memory that the process has held, in bytes.
func peakRSS() int64 {
	if runtime.GOOS == "darwin" {
		return int64(usage().Maxrss)
	}
	return int64(usage().Maxrss) << 10
}

// usage is what the process has used so far.
func usage() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail with these arguments
	return u
}

// report makes the tables of a crowd's figures; alone is one learner's, for comparison.
func (c *crowd) report(watched *watchedHost, alone *crowd, length time.Duration) string {
	var lone samples
	if len(alone.latencies) > 0 {
		lone = alone.latencies[0]
	}
	var first, added, order, silence samples
	turns, cut, sent, acked := 0, 0, 0, 0
	for i, k := range c.talkers {
		turns += len(k.heard)
		cut += k.interrupted()
		if k.call != nil {
			sent += k.call.Sent()
		}
		acked += k.acked
		for turn, d := range c.latencies[i] {
			first = append(first, d)
			if turn < len(lone) {
				added = append(added, d-lone[turn])
			}
		}
		for n, seen := range watched.of(k.id) {
			order = append(order, seen.written.Sub(seen.words))
			if n < len(k.silenced) {
				silence = append(silence, k.silenced[n].Sub(seen.written))
			}
		}
	}
	var b strings.Builder
	b.WriteString("| learners | talking for | turns | dropped | interruptions | mic frames sent | acknowledged" +
		" | CPU s per learner-second | peak RSS | process stood still at most |\n|---|---|---|---|---|---|---|---|---|---|\n")
	fmt.Fprintf(&b, "| %d | %v | %d | %d | %d | %d | %d | %.4f | %d MiB | %.0f ms |\n\n",
		len(c.talkers), length, turns, turns-len(first), cut, sent, acked,
		c.cpu.Seconds()/c.length.Seconds()/float64(len(c.talkers)), peakRSS()>>20, c.stall.Seconds()*1000)
	b.WriteString("| | p50 | p95 | p99 | n |\n|---|---|---|---|---|\n")
	for _, row := range []struct {
		name   string
		values samples
	}{
		{"end of the recording → first audio of the answer, one learner alone", lone},
		{"the same in the crowd", first},
		{"what the crowd adds to it, turn by turn", added},
		{"words that interrupt handed to the session → `clear` on the wire: server silent", order},
		{"`clear` on the wire → client silent", silence},
	} {
		if len(row.values) > 0 {
			fmt.Fprintf(&b, "| %s | %s |\n", row.name, row.values.quantiles())
		}
	}
	return b.String()
}
