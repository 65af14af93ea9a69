package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	o, err := parse([]string{"-short", "-only", "cut,nodekill", "-cut", "7", "-seed", "5"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.faults) != 2 || o.times["cut"] != 7 || o.times["nodekill"] != nodekill().short || o.learners != 4 || o.seed != 5 {
		t.Errorf("got %+v", o)
	}
	if o, err = parse(nil, io.Discard); err != nil || o.learners != 200 || o.seed == 0 || o.times["cut"] != 10_000 {
		t.Errorf("got %+v, %v", o, err)
	}
	for _, args := range [][]string{{"x"}, {"-only", "nothing"}, {"-cut", "-1"}, {"-cut", "x"}, {"-nodes", "1"}, {"-learners", "-1"}, {"-clusters", "-1"}} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

// Every fault happens in the long form, and each row is one fault's.
func TestFaults(t *testing.T) {
	rows := map[int]string{}
	for _, f := range faults() {
		if f.long == 0 || f.takes == 0 {
			t.Errorf("%s never happens, or takes no time", f.name)
		}
		for _, row := range f.rows {
			if other, ok := rows[row]; ok {
				t.Errorf("row %d is %s and %s", row, other, f.name)
			}
			rows[row] = f.name
		}
	}
}

// What several clusters close with becomes one line.
func TestClosing(t *testing.T) {
	text, end, err := splitClosing([]byte("some\ntext\nchaos trials=3 acknowledged=2 acknowledged_lost=0 duplicated=0 violations=1 seed=9\n"))
	if string(text) != "some\ntext\n" || err != nil {
		t.Errorf("split into %q, %v", text, err)
	}
	end.add(closing{trials: 1, acknowledged: 2, lost: 3, duplicated: 4, violations: 5})
	if line := end.String(); line != "chaos trials=4 acknowledged=4 acknowledged_lost=3 duplicated=4 violations=6 seed=9" {
		t.Error(line)
	}
	if _, _, err := splitClosing([]byte("it has failed\n")); err == nil {
		t.Error("a checker that has failed has closed")
	}
}

// Every fault is some cluster's, each cluster keeps the order, and none has all the work.
func TestShares(t *testing.T) {
	o, err := parse([]string{"-short", "-clusters", "3"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, f := range o.faults {
		place[f.name] = i
	}
	var dealt int
	var most, sum time.Duration
	for _, share := range o.shares() {
		var busy time.Duration
		for i, f := range share {
			if i > 0 && place[f.name] < place[share[i-1].name] {
				t.Errorf("%s comes after %s", f.name, share[i-1].name)
			}
			busy += f.takes
		}
		dealt, most, sum = dealt+len(share), max(most, busy), sum+busy
	}
	if dealt != len(o.faults) || most > sum/2 {
		t.Errorf("%d of %d faults are dealt, %v of %v to one cluster", dealt, len(o.faults), most, sum)
	}
}

// A process is started with a log of its own, stopped by a signal or killed, frozen or
// not, and one that ends while it starts is not waited for.
func TestChild(t *testing.T) {
	dir := t.TempDir()
	shell := func(script string) *child {
		c, err := startChild(dir, "shell", []string{"WORD=" + dir}, nil, "/bin/sh", "-c", script)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := shell(`trap 'exit 0' TERM; echo "$WORD"; while :; do sleep 0.05; done`)
	err := c.await(t.Context(), func(context.Context) error {
		data, err := os.ReadFile(filepath.Join(dir, "shell.log"))
		if err == nil && string(data) != dir+"\n" {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c.signal(syscall.SIGSTOP)
	if err := c.stop(syscall.SIGTERM); err != nil || c.err != nil {
		t.Errorf("it ended with %v, %v", err, c.err)
	}
	c.signal(syscall.SIGKILL) // nobody is there any more
	c = shell("while :; do sleep 0.05; done")
	if c.kill(); c.err == nil {
		t.Error("a process that was killed ended as it should")
	}
	c = shell("exit 3")
	if err := c.await(t.Context(), func(context.Context) error { return io.ErrUnexpectedEOF }); err == nil || !strings.Contains(err.Error(), "ended while it started") {
		t.Errorf("waiting for a process that has ended: %v", err)
	}
}

// What a node holds may come and go; only what is more in every round of the last third
// than in any of the first has grown.
func TestGrowth(t *testing.T) {
	held := func(goroutines ...int) (all []holding) {
		for _, n := range goroutines {
			all = append(all, holding{goroutines: n, files: 20, memory: 100 << 20})
		}
		return all
	}
	if grown := growth(held(50, 60, 50, 70, 90, 60, 80, 60, 75)); grown != nil {
		t.Errorf("grown: %q", grown)
	}
	if grown := growth(held(50, 60, 55, 58, 60, 60, 61, 62, 64)); len(grown) != 1 {
		t.Errorf("a leak was not seen: %q", grown)
	}
	more := held(50, 50, 50)
	more[2].memory = 106 << 20
	if grown := growth(more); len(grown) != 1 {
		t.Errorf("more memory was not seen: %q", grown)
	}
}
