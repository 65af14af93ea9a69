package main

import (
	"cmp"
	"context"
	"slices"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// underWay is how long what was committed before an outage may take to be told.
	underWay = 700 * time.Millisecond
	// storeTold is how long a learner may have to wait for a word about the delay: what the
	// contract says, and as much again for a busy machine.
	storeTold = 4 * time.Second
	// storeWhole is how soon after a database's return all must be stored that waited for it.
	storeWhole = 5 * time.Second
)

// awayFor waits for as long as the database is away: half a minute, or in the short form
// until somebody was told that storing takes longer.
func (t *trial) awayFor(ctx context.Context) error {
	if !t.opts.short {
		return sleep(ctx, 30*time.Second)
	}
	const most = 10 * time.Second
	told := func(n *notes) int { return n.storing.told }
	before := t.count(told)
	for began := time.Now(); time.Since(began) < most && slices.Equal(t.count(told), before); {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// postgresKill kills Postgres, all of it, and starts it again: row 20.
func postgresKill() fault {
	return fault{name: "pg-kill", rows: []int{20}, takes: 9 * time.Second, short: 1, long: 5, run: func(ctx context.Context, t *trial, times int) (int, error) {
		return t.databaseAway(ctx, "pg-kill", times, func(ctx context.Context) (func() error, error) {
			t.postgres.killAll()
			return func() error { return t.postgres.start(ctx) }, nil
		})
	}}
}

// postgresHang freezes every process of Postgres, so that connections are taken and nothing
// is answered, and every other time holds a lock that each message needs: row 21.
func postgresHang() fault {
	return fault{name: "pg-hang", rows: []int{21}, takes: 9 * time.Second, short: 1, long: 6, run: func(ctx context.Context, t *trial, times int) (int, error) {
		done := 0
		for i := range times {
			name, away := "pg-hang", func(context.Context) (func() error, error) {
				stopped := t.postgres.signalAll(syscall.SIGSTOP)
				return func() error { stopped.signal(syscall.SIGCONT); return nil }, nil
			}
			if i%2 == 1 {
				name, away = "pg-hang (lock)", func(ctx context.Context) (func() error, error) {
					return t.postgres.hold(ctx, "LOCK TABLE conversation_messages IN ACCESS EXCLUSIVE MODE")
				}
			}
			n, err := t.databaseAway(ctx, name, 1, away)
			if err != nil {
				return done, err
			}
			done += n
		}
		return done, nil
	}}
}

// databaseAway takes the database away for a while, as often as wanted. Everybody talks on,
// nothing is acknowledged that is not stored, whoever waits is told, and all is stored soon
// after the return.
func (t *trial) databaseAway(ctx context.Context, name string, times int, away func(context.Context) (back func() error, err error)) (int, error) {
	var whole, gone []time.Duration
	answered, waited := 0, 0
	for range times {
		if err := t.moment(ctx, time.Second); err != nil {
			return 0, err
		}
		back, err := away(ctx)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		err = sleep(ctx, underWay)
		acks, answers := t.storedCounts(), t.count(func(n *notes) int { return n.done })
		if err == nil {
			err = t.awayFor(ctx)
		}
		gone = append(gone, time.Since(began))
		t.nothingStored(name, acks)
		waited += t.toldOfDelay(name)
		for i, n := range t.count(func(n *notes) int { return n.done }) {
			answered += n - answers[i]
			if n == answers[i] && !t.opts.short {
				t.wrongf("%s: %s had no answer while the database was away", name, t.talkers[i].name)
			}
		}
		if berr := back(); berr != nil || err != nil {
			return 0, cmp.Or(err, berr)
		}
		returned := time.Now()
		if err := t.allStored(ctx, name, returned); err != nil {
			return 0, err
		}
		whole = append(whole, time.Since(returned))
		t.settle(ctx, name)
	}
	slices.Sort(whole)
	t.figuref("%s: away %v, %d answers meanwhile, %d learners told of the delay; all is stored %s after the return",
		name, slices.Max(gone).Round(time.Millisecond), answered, waited, spread(whole))
	return times, nil
}

// nothingStored sees that nobody was told that anything is stored.
func (t *trial) nothingStored(name string, before []int) {
	for i, n := range t.storedCounts() {
		if n != before[i] {
			t.wrongf("%s: %s was told of %d messages stored in a database that was away", name, t.talkers[i].name, n-before[i])
		}
	}
}

// toldOfDelay counts who knows that storing takes longer, and sees that it is everybody who
// has waited for long.
func (t *trial) toldOfDelay(name string) (told int) {
	for _, k := range t.talkers {
		k.notes.mu.Lock()
		late, oldest := k.notes.storing.late, time.Duration(0)
		for _, at := range k.notes.storing.waiting {
			oldest = max(oldest, time.Since(at))
		}
		k.notes.mu.Unlock()
		if late {
			told++
		} else if oldest > storeTold {
			t.wrongf("%s: %s has waited %v for an acknowledgement and was not told why", name, k.name, oldest.Round(time.Millisecond))
		}
	}
	return told
}

// allStored waits until all is acknowledged that was said before a moment.
func (t *trial) allStored(ctx context.Context, name string, said time.Time) error {
	for {
		var who string
		for _, k := range t.talkers {
			k.notes.mu.Lock()
			for _, at := range k.notes.storing.waiting {
				if at.Before(said) {
					who = k.name
				}
			}
			k.notes.mu.Unlock()
		}
		took := time.Since(said)
		switch {
		case who == "":
			if took > storeWhole && !t.opts.short {
				t.wrongf("%s: what waited for the database was stored %v after its return", name, took.Round(time.Millisecond))
			}
			return nil
		case took > signWait:
			t.wrongf("%s: %s has words that are not stored %v after the database's return", name, who, signWait)
			return nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// hold takes a lock and holds it until it is told to let go.
func (p *postgresServer) hold(ctx context.Context, lock string) (release func() error, err error) {
	conn, err := pgx.Connect(ctx, p.url())
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, "BEGIN"); err == nil {
		_, err = conn.Exec(ctx, lock)
	}
	return func() error { return conn.Close(context.WithoutCancel(ctx)) }, err
}
