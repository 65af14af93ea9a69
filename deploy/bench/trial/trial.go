package trial

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kalami/gateway/learner"
	"kalami/session"
)

// Quiet is how long nothing may happen before a trial counts as over. It is longer
// than any patience and a recogniser's last word together, so that a turn that
// comes late is not missed.
const Quiet = session.MaxPatience + 2*time.Second

// Result is what came of a trial.
type Result struct {
	// PatienceMS is the session's.
	PatienceMS int
	// Turns holds what was understood, one entry for each of the learner's turns.
	Turns []string
	// NotUnderstood counts voices in which the server found no words.
	NotUnderstood int
	// Replies are the tutor's, the greeting first.
	Replies []Reply
	// Errors and Warnings are the codes of those that the server reported.
	Errors, Warnings []string
}

// Reply is one of the tutor's answers.
type Reply struct {
	// Turn is the number, from 1, of the learner's turn that it answers; 0 for the greeting.
	Turn int
	// Caption is its text, and Audio all that was sent of it.
	Caption string
	Audio   learner.Recording
	// Cut says that it was interrupted: there is less audio than caption.
	Cut     bool
	Latency session.Latency
}

// Answer returns the reply to a turn, nil when it was not answered.
func (r *Result) Answer(turn int) *Reply {
	for i := range r.Replies {
		if r.Replies[i].Turn == turn {
			return &r.Replies[i]
		}
	}
	return nil
}

// Trial is a fixture spoken by a learner of a level.
type Trial struct {
	*Fixture
	Level string
	// Result is that of the last time the trial was held, nil before; Held counts the times.
	Result *Result
	Held   int
}

// Plan says which trials are held of fixtures: one each, by a learner of a level, but
// hesitant ones by learners of several.
func Plan(fixtures []Fixture, level string, hesitant ...string) (plan []*Trial) {
	for i := range fixtures {
		levels := []string{level}
		if fixtures[i].Hesitant() {
			levels = hesitant
		}
		for _, l := range levels {
			plan = append(plan, &Trial{Fixture: &fixtures[i], Level: l})
		}
	}
	return plan
}

// longest bounds one trial. The longest recording lasts 50 s.
const longest = 3 * time.Minute

// HoldAll holds trials with the server at an address, so many at a time and those with
// the most turns first, and calls done, if not nil, as each is over, one after the
// other. It blocks until all are; the first error ends it.
func HoldAll(ctx context.Context, server string, plan []*Trial, atOnce int, done func(*Trial)) error {
	order := slices.Clone(plan)
	slices.SortStableFunc(order, func(a, b *Trial) int { return len(b.Spoken) - len(a.Spoken) })
	var mu sync.Mutex // one call of done at a time
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, t := range order {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, longest)
			defer cancel()
			if err := t.Hold(ctx, server); err != nil {
				return fmt.Errorf("%s at %s: %w", t.Name, t.Level, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if done != nil {
				done(t)
			}
			return nil
		})
	}
	return group.Wait()
}

// MaxHeld is how often a trial is held before its judgement stands.
const MaxHeld = 3

// Retry holds the trial again, alone, while it is not as it should be, until it was
// held [MaxHeld] times. A real recogniser is not the same each time (Kaldi adds noise
// to what it hears: of en-03, one hearing in seven has two words wrong, also without
// Kalami), and a busy machine leaves it no time to listen. What is wrong with Kalami
// is wrong each time.
func (t *Trial) Retry(ctx context.Context, server string) error {
	for t.Held < MaxHeld && len(t.Judge()) > 0 {
		ctx, cancel := context.WithTimeout(ctx, longest)
		err := t.Hold(ctx, server)
		cancel()
		if err != nil {
			return fmt.Errorf("%s at %s: %w", t.Name, t.Level, err)
		}
	}
	return nil
}

// Hold holds the trial with the server at an address such as "http://127.0.0.1:8000":
// a guest, whose own language is English, learns the fixture's language (English
// when it has none) at the level, lets the tutor greet, and speaks. It is over when
// the recording was spoken, every turn was answered, and nothing has happened for
// [Quiet]. Hold blocks for about the length of the recording and the answers; ctx
// bounds it, and its end is an error.
func (t *Trial) Hold(ctx context.Context, server string) error {
	rec, err := t.Recording()
	if err != nil {
		return err
	}
	account, err := learner.Guest(ctx, server, "en")
	if err != nil {
		return err
	}
	defer account.Close()
	profile, err := account.Profile(ctx, cmp.Or(t.Language, "en"), t.Level)
	if err != nil {
		return err
	}
	format := fmt.Sprintf(`{"audio":{"input":{"format":{"type":%q,"rate":%d}}}}`, session.PCM, rec.Rate)
	notes := newNotes()
	call, err := account.Call(ctx, learner.Wish{ProfileID: profile, Session: json.RawMessage(format)},
		learner.Handler{Event: notes.event, Audio: notes.audio})
	if err != nil {
		return err
	}
	defer call.Abort()
	defer context.AfterFunc(ctx, call.Abort)() // a server that does not answer must not hold us
	if err := converse(ctx, call, rec, notes); err != nil {
		return err
	}
	t.Result = notes.result()
	t.Held++
	return nil
}

// errOver ends a trial: everything was said.
var errOver = errors.New("trial: over")

// converse reads the call and speaks until the conversation is over. Both
// goroutines have ended when it returns.
func converse(ctx context.Context, call *learner.Call, rec learner.Recording, notes *notes) error {
	ctx, cancel := context.WithCancelCause(ctx)
	read, sent := make(chan error, 1), make(chan error, 1)
	go func() {
		err := call.Run()
		cancel(cmp.Or(err, errors.New("the server ended the conversation")))
		read <- err
	}()
	mic := call.Mic(rec.Rate)
	go func() { sent <- mic.Run(ctx) }()
	err := speak(ctx, mic, rec, notes)
	cancel(errOver)
	spoken := <-sent
	if err == nil && spoken == nil {
		err = call.Send(session.EndSession{})
	} else {
		call.Abort()
	}
	return cmp.Or(err, spoken, <-read)
}

// speak follows the order of a trial until it is over or ctx ends, whose cause it returns.
func speak(ctx context.Context, mic *learner.Mic, rec learner.Recording, notes *notes) error {
	if err := notes.await(ctx, notes.greeted); err != nil {
		return err
	}
	select {
	case <-mic.Say(rec.PCM):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	notes.spoken(time.Now())
	return notes.await(ctx, notes.over)
}
