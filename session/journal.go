package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"kalami/session/learn"
)

const (
	// commitTimeout bounds one try to store a message. A try that hangs with the database
	// may hang on when that is back, so it and the pause after it are what a backlog waits.
	commitTimeout = 3 * time.Second
	// commitAgain is the pause after the first try that failed, and commitPause the longest:
	// with a database that refuses, a node of 200 sessions asks some 200 times a second.
	commitAgain, commitPause = 100 * time.Millisecond, time.Second
	// storeDelayed is how long a message may take before the learner is told.
	storeDelayed = 2 * time.Second
	// lastCommits bounds the storing of what is left when the session has ended.
	lastCommits = 8 * time.Second
)

// journal makes messages durable, one after the other. It outlives the rest of the
// session by at most lastCommits, so that what was said last is not lost.
//
// While the store is away, messages wait for it, as many as the lane holds (recordQueue),
// and none is acknowledged. When it is back the first is stored within commitTimeout and
// commitPause, and the others follow without a pause. A message whose commit got no answer
// is appended again, which the store takes for what it is.
type journal struct {
	store Journal
	epoch int64
	lanes *lanes
	log   *slog.Logger

	// owned by run
	next int  // number of the next message; a message that is refused uses none up
	told bool // the learner knows of the outage under way
}

// run stores records until the lane is closed and empty. ctx is the session's:
// after its end every record gets one more try only.
func (j *journal) run(ctx context.Context) error {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	limit := time.AfterFunc(time.Hour, cancel)
	limit.Stop()
	defer limit.Stop()
	defer context.AfterFunc(ctx, func() { limit.Reset(lastCommits) })()
	var fenced error
	for rec := range j.lanes.records {
		if fenced != nil {
			continue // somebody else owns the conversation: not ours to write
		}
		err := j.commit(ctx, last, rec)
		switch edits := rec.edit != (learn.TranscriptEdit{}); {
		case errors.Is(err, learn.ErrFenced):
			fenced = err
			j.answer(stored{fenced: err})
		case edits:
			j.amended(rec, err)
		case err != nil:
			j.log.Error("message not stored", "message", rec.message.ID, "err", err)
		default:
			j.answer(stored{done: rec.done})
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
// every try. The learner is told once of each outage.
func (j *journal) commit(ctx, last context.Context, rec record) error {
	began, wait := time.Now(), commitAgain
	for {
		err := j.try(last, rec)
		if err == nil || permanent(err) { // the store answers
			j.told = false
			return err
		}
		if ctx.Err() != nil {
			return err
		}
		if !j.told && time.Since(began) > storeDelayed {
			j.told = true
			j.log.Warn("storage delayed", "err", err)
			j.answer(stored{delayed: true})
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		wait = min(2*wait, commitPause)
	}
}

// takenMost bounds how many numbers are passed over because they are taken.
const takenMost = 16

// try stores a message under the next number that is free, or an edit. A number is taken
// when a message was stored although its try seemed to fail.
func (j *journal) try(ctx context.Context, rec record) (err error) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if rec.edit != (learn.TranscriptEdit{}) {
		return j.store.EditTranscript(ctx, j.epoch, rec.edit)
	}
	m := rec.message
	for range takenMost {
		m.Seq = j.next
		err = j.store.AppendMessage(ctx, j.epoch, m)
		if err != nil && (learn.KindOf(err) != learn.Conflict || errors.Is(err, learn.ErrFenced)) {
			return err
		}
		j.next++
		if err == nil {
			return nil
		}
	}
	return err
}

// permanent says whether trying again cannot help: somebody else owns the
// conversation, the message is refused as such, or no number is free.
func permanent(err error) bool {
	kind := learn.KindOf(err)
	return errors.Is(err, learn.ErrFenced) || kind == learn.Invalid || kind == learn.Conflict || kind == learn.NotFound
}
