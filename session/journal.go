package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kalami/session/learn"
)

const (
	// commitTimeout bounds one try to store a message.
	commitTimeout = 5 * time.Second
	// storeDelayed is how long a message may take before the learner is told.
	storeDelayed = 2 * time.Second
	// lastCommits bounds the storing of what is left when the session has ended.
	lastCommits = 8 * time.Second
)

// journal makes messages durable, one after the other. It outlives the rest of the
// session by at most lastCommits, so that what was said last is not lost.
type journal struct {
	store Journal
	epoch int64
	lanes *lanes
	log   *slog.Logger
}

// run stores records until the lane is closed and empty. ctx is the session's:
// after its end every record gets one more try only.
func (j *journal) run(ctx context.Context) error {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastCommits, cancel) })()
	var fenced error
	for rec := range j.lanes.records {
		if fenced != nil {
			continue // somebody else owns the conversation: not ours to write
		}
		err := j.commit(ctx, last, rec)
		switch {
		case errors.Is(err, learn.ErrFenced):
			fenced = err
			j.answer(stored{fenced: err})
		case err != nil:
			j.log.Error("message not stored", "message", rec.message.ID, "err", err)
		default:
			j.answer(stored{item: rec.item})
		}
	}
	return nil
}

// answer tells CONDUCTOR, which reads as long as it lives; the lane is as long as
// the records', so that it never fills while CONDUCTOR is gone.
func (j *journal) answer(s stored) {
	select {
	case j.lanes.stored <- s:
	default:
	}
}

// commit stores one record, trying again while the session lives; last bounds
// every try.
func (j *journal) commit(ctx, last context.Context, rec record) error {
	began, wait, told := time.Now(), 100*time.Millisecond, false
	for {
		try, cancel := context.WithTimeout(last, commitTimeout)
		err := j.store.AppendMessage(try, j.epoch, rec.message)
		cancel()
		if err == nil || permanent(err) {
			return err
		}
		if ctx.Err() != nil {
			return err
		}
		if !told && time.Since(began) > storeDelayed {
			told = true
			j.log.Warn("storage delayed", "err", err)
			j.answer(stored{delayed: true})
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		wait = min(2*wait, 2*time.Second)
	}
}

// permanent says whether trying again cannot help: somebody else owns the
// conversation, the message is refused as such, or its number is taken.
func permanent(err error) bool {
	kind := learn.KindOf(err)
	return errors.Is(err, learn.ErrFenced) || kind == learn.Invalid || kind == learn.Conflict || kind == learn.NotFound
}
