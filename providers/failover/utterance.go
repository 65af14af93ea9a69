package failover

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"kalami/providers"
)

const (
	// mostLegs is how many vendors may try one utterance, each as often as it is its turn,
	// and lonelyLegs how often one may that is the only one.
	mostLegs   = 4
	lonelyLegs = 2
	// dryAt is how much of the audio handed out may be left to be played when what is held
	// back is handed out, too.
	dryAt = 300 * time.Millisecond
	// longWord is how much of one word is held back at most when the learner would wait.
	longWord = 1500 * time.Millisecond
	// lookAgain bounds the wait for audio before it is seen whether any is owed.
	lookAgain = 250 * time.Millisecond
)

// errLook is the cause of a wait that ends to look again.
var errLook = errors.New("nothing yet")

// utterance is a reply spoken by one vendor after another.
type utterance struct {
	line   *voiceLine
	ctx    context.Context // ends with Cancel, with the line, and when all is over
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when something below changes
	text    string        // written
	pieces  []piece
	fed     int // pieces that some vendor has taken
	ended   bool
	leg     *leg
	broken  error // the only vendor takes no text, again

	// of the goroutine that calls Next
	over    error
	legs    int
	failed  []int // places of vendors
	samples int   // handed out
	begunAt time.Time
	aligned bool                 // some vendor gave an alignment
	spans   []span               // pieces without one, that have no marks yet
	marks   []providers.CharMark // of them
}

// piece is text as it was written: up to byte end.
type piece struct {
	end   int
	flush bool
}

// span is a piece of text and when it sounds.
type span struct {
	text         string
	fromMS, toMS int
}

// alone says whether there is no other vendor to go on with.
func (u *utterance) alone() bool { return len(u.line.voice.voices) == 1 }

// exhausted says whether nobody may try any more. It is asked by who calls Next, or before.
func (u *utterance) exhausted() bool {
	return u.legs >= mostLegs || u.alone() && u.legs >= lonelyLegs
}

func (u *utterance) name(l *leg) string { return u.line.voice.voices[l.place].Name() }

// change wakes who waits; u.mu is held.
func (u *utterance) change() {
	close(u.changed)
	u.changed = make(chan struct{})
}

// Write implements providers.Utterance.
func (u *utterance) Write(ctx context.Context, text string, flush bool) error {
	u.mu.Lock()
	if u.ended {
		u.mu.Unlock()
		return &providers.Error{Kind: providers.Invalid, Vendor: u.line.voice.Name(), Op: "speak", Detail: "text after the end"}
	}
	u.text += text
	u.pieces = append(u.pieces, piece{len(u.text), flush})
	n := len(u.pieces)
	u.change()
	u.mu.Unlock()
	return u.wait(ctx, func() bool { return u.fed >= n })
}

// End implements providers.Utterance.
func (u *utterance) End(ctx context.Context) error {
	u.mu.Lock()
	u.ended = true
	u.change()
	u.mu.Unlock()
	return u.wait(ctx, func() bool { return u.leg.ended })
}

// wait blocks until done holds, ctx ends, or nobody speaks any more.
func (u *utterance) wait(ctx context.Context, done func() bool) error {
	for {
		u.mu.Lock()
		ok, broken, changed := done(), u.broken, u.changed
		u.mu.Unlock()
		if ok || broken != nil {
			return broken
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-u.ctx.Done():
			if err := context.Cause(u.ctx); !complete(err) {
				return err
			}
			return nil
		}
	}
}

// feed gives a leg the text that is there and that comes, until the end.
func (u *utterance) feed(l *leg) {
	pos, n := l.base, u.piecesBefore(l.base)
	for {
		u.mu.Lock()
		all := n == len(u.pieces)
		if all && !u.ended {
			changed := u.changed
			u.mu.Unlock()
			select {
			case <-changed:
				continue
			case <-l.ctx.Done():
				return
			}
		}
		l.fedAt = time.Now()
		if all {
			l.ended = true
			u.fed = n
			u.mu.Unlock()
			u.took(l, l.inner.End(l.ctx))
			return
		}
		text, flush := u.text[pos:u.pieces[n].end], u.pieces[n].flush
		l.spoken.write(text)
		u.mu.Unlock()
		if err := l.inner.Write(l.ctx, text, flush); err != nil {
			u.took(l, err)
			return
		}
		pos += len(text)
		n++
		u.mu.Lock()
		u.fed = max(u.fed, n)
		u.change()
		u.mu.Unlock()
	}
}

// piecesBefore is how many pieces end at or before a place that was spoken; none do at the
// beginning, where they may be empty.
func (u *utterance) piecesBefore(base int) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if n := slices.IndexFunc(u.pieces, func(p piece) bool { return base == 0 || p.end > base }); n >= 0 {
		return n
	}
	return len(u.pieces) * btoi(base > 0)
}

// took notes that a leg has taken its last text, or no more. Its failure is that of its
// Next, too, which goes on with another vendor if there is one.
func (u *utterance) took(l *leg, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if l.final && l.ctx.Err() == nil {
		u.broken = err
	}
	u.change()
}

// begin begins a leg with the vendor whose turn it is, after one that failed with failed,
// or nil. The error is why there is none.
func (u *utterance) begin(ctx context.Context, failed error) error {
	rota := u.line.voice.rota
	base := 0
	if old := u.leg; old != nil {
		base = old.base + old.spoken.whole
	}
	order := rota.order()
	slices.SortStableFunc(order, func(a, b int) int { return btoi(slices.Contains(u.failed, a)) - btoi(slices.Contains(u.failed, b)) })
	for n, i := range order {
		if (n > 0 || failed != nil) && (u.exhausted() || !rota.budget.move()) {
			return failed
		}
		u.legs++
		l, err := u.open(ctx, i, base, reasonOf(n > 0 || failed != nil))
		if err == nil {
			if failed != nil {
				rota.opt.Observer.FailedOver(rota.part, u.when())
			}
			u.mu.Lock()
			u.leg = l
			u.change()
			u.mu.Unlock()
			u.line.work.Go(func() { u.feed(l) })
			if u.ctx.Err() != nil { // it was cancelled before it had begun
				l.inner.Cancel()
			}
			return nil
		}
		failed = err
		u.failed = append(u.failed, i)
		if ctx.Err() != nil || providers.KindOf(err) == 0 {
			return err
		}
		rota.opt.Log.WarnContext(ctx, "vendor failed", "part", string(rota.part), "failed", rota.vendors[i].label, "err", err)
	}
	return failed
}

func (u *utterance) when() When {
	if u.samples > 0 {
		return AfterFirst
	}
	return BeforeFirst
}

// open begins a leg with one vendor.
func (u *utterance) open(ctx context.Context, i, base int, why Why) (*leg, error) {
	c, err := u.line.voice.rota.begin(ctx, i, why)
	if err != nil {
		return nil, err
	}
	stream, err := u.line.stream(ctx, i, !u.alone())
	var inner providers.Utterance
	if err == nil {
		inner, err = stream.Say(ctx)
	}
	if err != nil {
		c.settle(err)
		return nil, err
	}
	l := &leg{place: i, inner: inner, call: c, base: base, fromMS: u.ms(u.samples), spoken: newSpoken(), final: u.alone() && u.exhausted()}
	l.ctx, l.stop = context.WithCancel(u.ctx)
	return l, nil
}

// Next implements providers.Utterance.
func (u *utterance) Next(ctx context.Context) (providers.Chunk, error) {
	since := time.Now()
	for u.over == nil {
		if u.ctx.Err() != nil {
			u.finish(context.Cause(u.ctx))
			break
		}
		u.mu.Lock()
		l := u.leg
		c, ok := u.handOut(l)
		u.mu.Unlock()
		if ok {
			return c, nil
		}
		look, cancel := context.WithTimeoutCause(ctx, lookAgain, errLook)
		heard, err := l.inner.Next(look)
		cancel()
		switch {
		case ctx.Err() != nil && err != nil:
			return providers.Chunk{}, context.Cause(ctx)
		case errors.Is(err, errLook):
			err = u.silent(l, since)
		case err == nil:
			u.mu.Lock()
			err = u.take(l, heard)
			u.mu.Unlock()
		case complete(err):
			err = u.last(l)
		}
		if err != nil && u.over == nil {
			u.moveOn(ctx, l, err)
		}
	}
	return providers.Chunk{}, u.over
}

// last handles the end of a leg's audio.
func (u *utterance) last(l *leg) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.whole(l); err != nil {
		return err
	}
	l.live, l.spoken.openMS = true, -1
	l.call.settle(nil)
	if len(l.pcm) == 0 && len(l.marks) == 0 && len(u.marks) == 0 {
		u.finish(io.EOF)
	}
	return nil
}

// moveOn goes on with another vendor after a leg that failed, or ends the utterance.
func (u *utterance) moveOn(ctx context.Context, l *leg, err error) {
	if u.ctx.Err() != nil || providers.KindOf(err) == 0 || u.exhausted() {
		u.finish(err)
		return
	}
	u.line.voice.rota.opt.Log.WarnContext(ctx, "vendor failed, asking the next", "part", string(Speech),
		"failed", u.line.voice.rota.vendors[l.place].label, "err", err)
	u.mu.Lock()
	l.call.settle(err)
	whole := u.ended && !strings.ContainsFunc(u.text[l.base+l.spoken.whole:], sounds)
	u.mu.Unlock()
	l.stop()
	l.inner.Cancel()
	if whole { // what it had to say, it has said
		u.finish(io.EOF)
		return
	}
	u.failed = append(u.failed, l.place)
	if failed := u.begin(ctx, err); failed != nil {
		u.finish(failed)
	}
}

// silent says whether a leg has owed audio for too long.
func (u *utterance) silent(l *leg, since time.Time) error {
	now := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, at := range []time.Time{l.fedAt, l.heardAt} {
		if at.After(since) {
			since = at
		}
	}
	stall := u.line.voice.rota.opt.Stall
	owes := l.spoken.owed() > 0 || l.ended // at least the end
	if !l.final && owes && now.Sub(since) >= stall {
		return &providers.Error{Kind: providers.Unavailable, Vendor: u.name(l), Op: "speak", Detail: fmt.Sprintf("no audio within %v", stall)}
	}
	return nil
}

// align makes marks of the pieces without an alignment once some vendor gives one.
func (u *utterance) align() {
	if u.aligned = u.aligned || u.leg.aligned; !u.aligned {
		return
	}
	for _, s := range u.spans {
		u.marks = append(u.marks, spread(s.text, s.fromMS, s.toMS)...)
	}
	u.spans = nil
}

// finish makes err what Next returns and frees what is under way.
func (u *utterance) finish(err error) {
	u.over = err
	u.cancel(err)
	u.leg.inner.Cancel()
	u.leg.call.left()
}

// Cancel implements providers.Utterance.
func (u *utterance) Cancel() {
	u.cancel(providers.ErrCancelled)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.leg.inner.Cancel()
	u.leg.call.left()
}
