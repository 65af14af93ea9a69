// Command chaos breaks a Kalami of several nodes in every way that its contract speaks
// of, while learners talk, and checks afterwards that nothing was lost:
//
//	chaos -kalami bin/kalami -short
//
// It starts real processes (nodes, Redis, Postgres) on free ports of the loopback, with
// their data in a temporary folder, simulated vendors, and a load balancer with a bad
// network before the nodes. The faults come one after another, at moments drawn from a
// seed that is printed. Everybody writes a history; at the end "kalami verify" holds the
// histories and the database against the promises. The last line says what came of it,
// and the exit code is 1 when a promise was not kept.
//
// Every process that was started is ended, also when the program is interrupted; the
// folder is kept when something was wrong, and named.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	kalami, speech, keep string
	short                bool
	seed                 uint64
	nodes, learners      int
	clusters             int
	faults               []fault
	times                map[string]int
	limit, soak          time.Duration
}

// faults are all there are, in the order in which they come.
func faults() []fault {
	return []fault{cut(), nodekill(), midturn(), hole(), devices(), redisWipe(), zombie(), unnoticed(), redisKill(), redisFailover(), postgresKill(),
		slow(), redisHang(), postgresHang(), postgresCrowd(), readers(), panics(), storm(), rolling(), drain(), blackout()}
}

// parse reads the command line; the error says what is wrong with it.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{times: map[string]int{}}
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.kalami, "kalami", "bin/kalami", "`binary` to break")
	f.StringVar(&o.speech, "speech", "deploy/bench/speech", "`folder` of recordings")
	f.StringVar(&o.keep, "keep", "", "keep logs and histories in this `folder`, which must not exist; empty: only when something was wrong")
	f.BoolVar(&o.short, "short", false, "small numbers, under a minute on a machine that has time")
	f.Uint64Var(&o.seed, "seed", 0, "what chance begins with; 0 draws one")
	f.IntVar(&o.nodes, "nodes", 3, "how many nodes a cluster has")
	f.IntVar(&o.learners, "learners", 0, "how many learners talk with a cluster; 0: 4, and 200 in the long form")
	f.IntVar(&o.clusters, "clusters", 0, "how many clusters share the faults, each with stores and learners of its own; 0: 5, and 1 in the long form")
	f.DurationVar(&o.soak, "soak", 0, "for how long faults happen by chance while learners come and go, and nothing may leak; 0: the faults happen in their order")
	f.DurationVar(&o.limit, "limit", 0, "when to give up; 0: after 2 minutes, and 12 hours in the long form")
	only := f.String("only", "", "`faults` that happen, separated by commas; empty: all")
	for _, kind := range faults() {
		f.Func(kind.name, fmt.Sprintf("how often this happens (rows %v of the fault matrix); short %d, long %d", kind.rows, kind.short, kind.long),
			func(s string) error {
				var n int
				if _, err := fmt.Sscan(s, &n); err != nil || n < 0 {
					return errors.New("a number from 0 on is wanted")
				}
				o.times[kind.name] = n
				return nil
			})
	}
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	return o, o.complete(f.Args(), *only)
}

// complete fills in what was not said.
func (o *options) complete(rest []string, only string) error {
	if len(rest) > 0 {
		return fmt.Errorf("there are no arguments, only flags; %q is not known", rest)
	}
	learners, clusters, limit := 200, 1, 12*time.Hour
	switch {
	case o.soak > 0:
		learners, limit = 40, o.soak+15*time.Minute
	case o.short:
		learners, clusters, limit = 4, 5, 2*time.Minute
	}
	o.learners, o.clusters, o.limit = cmp.Or(o.learners, learners), cmp.Or(o.clusters, clusters), cmp.Or(o.limit, limit)
	if o.nodes < 2 || o.learners < 1 || o.clusters < 1 {
		return errors.New("-nodes, -learners and -clusters: two nodes, one learner and one cluster at least")
	}
	for o.seed == 0 {
		o.seed = rand.Uint64() >> 32
	}
	o.faults = faults()
	if only != "" {
		names := strings.Split(only, ",")
		for _, name := range names {
			if !slices.ContainsFunc(o.faults, func(f fault) bool { return f.name == name }) {
				return fmt.Errorf("-only: there is no fault %q", name)
			}
		}
		o.faults = slices.DeleteFunc(o.faults, func(f fault) bool { return !slices.Contains(names, f.name) })
	}
	for _, f := range o.faults {
		if _, said := o.times[f.name]; !said {
			o.times[f.name] = f.long
			if o.short || o.soak > 0 {
				o.times[f.name] = f.short
			}
		}
	}
	o.faults = slices.DeleteFunc(o.faults, func(f fault) bool { return o.times[f.name] == 0 || o.soak > 0 && f.fells })
	if len(o.faults) == 0 {
		return errors.New("nothing of all that would happen")
	}
	return nil
}

// shares deals the faults out to the clusters, so that all take about as long: the longest
// go first, each to the cluster that has least to do. Each cluster keeps their order.
func (o *options) shares() [][]fault {
	order := make([]int, len(o.faults))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(o.faults[b].takes, o.faults[a].takes) })
	share, busy := make([]int, len(order)), make([]time.Duration, min(o.clusters, max(1, len(order))))
	for _, i := range order {
		least := 0
		for k := range busy {
			if busy[k] < busy[least] {
				least = k
			}
		}
		share[i], busy[least] = least, busy[least]+max(o.faults[i].takes, time.Second)
	}
	shares := make([][]fault, len(busy))
	for i, f := range o.faults {
		shares[share[i]] = append(shares[share[i]], f)
	}
	return shares
}

// run breaks everything and checks.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, fmt.Errorf("not done within %v", o.limit))
	defer cancel()
	if o.kalami, err = filepath.Abs(o.kalami); err != nil { // processes start elsewhere
		return err
	}
	dir, err := o.folder()
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "seed %d, %d clusters of %d nodes, %d learners each\n", o.seed, len(o.shares()), o.nodes, o.learners)
	end, err := o.breakAndCheck(ctx, dir, stdout, stderr)
	switch {
	case err != nil || end.violations > 0 || o.keep != "":
		_, _ = fmt.Fprintf(stderr, "chaos: logs and histories are in %s\n", dir)
	default:
		err = os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(stdout, "%s\n%s\n", elsewhere, end)
	if end.violations > 0 {
		return fmt.Errorf("%d violations", end.violations)
	}
	return nil
}

// folder makes the one in which everything is kept.
func (o *options) folder() (string, error) {
	dir := o.keep
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "kalami-chaos-")
	} else {
		err = os.Mkdir(dir, 0o711)
	}
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) // Postgres may be somebody else
}
