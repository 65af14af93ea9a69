package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// elsewhere names the rows of the fault matrix that do not happen here.
const elsewhere = "not here: rows 9 (needs a hook in the node), 18 (needs a cluster of Redis), " +
	"23 (of SQLite, which is for one node), 24 (needs another clock), 25 to 28 (of vendors)"

// breakAndCheck breaks each cluster with its share of the faults, all at the same time, and
// returns what all of them close with.
func (o *options) breakAndCheck(ctx context.Context, dir string, stdout, stderr io.Writer) (closing, error) {
	shares := o.shares()
	out, trouble := &sharedWriter{to: stdout}, &sharedWriter{to: stderr}
	ends, errs := make([]closing, len(shares)), make([]error, len(shares))
	var all sync.WaitGroup
	for i, faults := range shares {
		all.Go(func() {
			own := filepath.Join(dir, "cluster-"+strconv.Itoa(i+1))
			if errs[i] = errors.Join(os.Mkdir(own, 0o711), os.Chmod(own, 0o711)); errs[i] == nil { //nolint:gosec // Postgres may be somebody else
				ends[i], errs[i] = o.trial(ctx, own, uint64(i), faults, out, trouble)
			}
		})
	}
	all.Wait()
	total := closing{seed: o.seed}
	for _, end := range ends {
		total.add(end)
	}
	return total, errors.Join(errs...)
}

// sharedWriter lets several write lines.
type sharedWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements [io.Writer].
func (w *sharedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// trial starts a cluster, breaks it and checks it. The violations are those of what was
// seen here and those that the checker found.
func (o *options) trial(ctx context.Context, dir string, number uint64, faults []fault, stdout, stderr io.Writer) (end closing, err error) {
	c, err := startCluster(ctx, dir, o, o.seed+number)
	if err != nil {
		return closing{}, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	t := &trial{cluster: c, opts: o, faults: faults, rng: rand.New(rand.NewPCG(o.seed, number<<8)), out: stdout}
	if o.soak > 0 {
		err = t.soak(ctx)
	} else {
		err = t.breakAll(ctx)
	}
	if err != nil {
		return closing{}, err
	}
	return t.verify(ctx, stdout, stderr)
}

// breakAll lets the learners in, all faults happen to them, and they leave.
func (t *trial) breakAll(ctx context.Context) error {
	defer t.leave()
	if err := t.join(ctx, t.opts.learners); err != nil {
		return err
	}
	for _, f := range t.faults {
		if err := t.happen(ctx, f, t.opts.times[f.name]); err != nil {
			return err
		}
	}
	return nil
}

// verify asks the checker, and prints what was wrong.
func (t *trial) verify(ctx context.Context, stdout, stderr io.Writer) (closing, error) {
	trials := 0
	for _, o := range t.done {
		trials += o.trials
	}
	cmd := exec.CommandContext(ctx, t.opts.kalami, "verify", "--history", t.histories, "--database", t.postgres.url(),
		"--run", "chaos", "--trials", strconv.Itoa(trials), "--seed", strconv.FormatUint(t.opts.seed, 10))
	cmd.Env, cmd.Stderr = []string{"HOME=" + t.nodes[0].dir, "SECRET_KEY=" + strings.Repeat("x", 32)}, stderr
	out, failed := cmd.Output()
	text, end, err := splitClosing(out)
	if err != nil { // it has not come to a judgement
		return closing{}, fmt.Errorf("kalami verify: %w: %w", err, failed)
	}
	end.violations += len(t.wrong)
	var b strings.Builder
	for _, w := range t.wrong {
		fmt.Fprintln(&b, "violation:", w)
	}
	_, _ = b.Write(text)
	_, err = io.WriteString(stdout, b.String())
	return end, err
}
