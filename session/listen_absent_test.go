package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// survivors is a recogniser whose streams outlive their vendors.
type survivors struct {
	*fakeRecognizer
	renewed []error
	absent  chan error
}

func (r *survivors) Listen(ctx context.Context, opt providers.ListenOptions) (providers.RecognitionStream, error) {
	s, err := r.fakeRecognizer.Listen(ctx, opt)
	return &survivor{s, r}, err
}

type survivor struct {
	providers.RecognitionStream
	r *survivors
}

func (s *survivor) Renew(why error)      { s.r.renewed = append(s.r.renewed, why) }
func (s *survivor) Absent() <-chan error { return s.r.absent }

// A stream that outlives its vendors is told of a vendor that has gone silent, and stays:
// it has the audio that the next vendor needs.
func TestSilentVendorIsReplacedInItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		r := &survivors{fakeRecognizer: k.hears, absent: make(chan error, 1)}
		k.host.Recognizer = r
		k.start()
		k.greeted()
		k.mic(7000, true)
		if len(r.renewed) != 1 || !errors.Is(r.renewed[0], errStalled) || k.hears.opened != 1 || k.hears.last().closed {
			t.Errorf("renewed for %v, %d streams were opened", r.renewed, k.hears.opened)
		}
		k.finish()
	})
}

// What such a stream tells of its vendors reaches the learner, while it goes on.
func TestAbsenceOfVendorsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		r := &survivors{fakeRecognizer: k.hears, absent: make(chan error, 1)}
		k.host.Recognizer = r
		k.start()
		k.greeted()
		r.absent <- &providers.Error{Kind: providers.Unavailable}
		synctest.Wait()
		if f := eventsOf[Failure](k.conn); len(f) != 1 || f[0].Error.Code != STTUnavailable {
			t.Errorf("the learner was told %+v", f)
		}
		r.absent <- nil
		synctest.Wait()
		if w := eventsOf[Warning](k.conn); len(w) != 1 || w[0].Code != WarnUpstreamDegraded {
			t.Errorf("the learner was told %+v", w)
		}
		k.finish()
		if k.hears.opened != 1 {
			t.Errorf("%d streams were opened", k.hears.opened)
		}
	})
}

// What is said while no stream can be had is heard when there is one, the last 15 s of it.
func TestWhatIsSaidToNobodyIsKept(t *testing.T) {
	for name, c := range map[string]struct {
		refused, saidMS, heardMS int
	}{
		"for a moment": {3, 1000, 1000},
		"for long":     {9, 22_000, 15_000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.hears.refuse = c.refused
				k.start()
				k.mic(c.saidMS, true)
				for k.hears.last() == nil {
					time.Sleep(time.Second)
				}
				synctest.Wait()
				h := k.hears.last()
				if got := h.samples / 16; got < c.heardMS || got > c.heardMS+1000 {
					t.Errorf("%d ms were heard of %d, want %d", got, c.saidMS, c.heardMS)
				}
				k.finish()
			})
		})
	}
}
