package line

import (
	"context"
	"time"

	"kalami/session"
)

// offerWait bounds the making of a token.
const offerWait = 10 * time.Second

// offers is what a line knows of its resume tokens.
type offers struct {
	at    time.Time // when the last one was made, or tried
	event uint64    // an event that shows, once it is acknowledged, that the client has it
	acked uint64
	// busy is closed when the making that is under way is over; nil for none.
	busy chan struct{}
	stop context.CancelFunc
	// barred counts the returns that are being decided: nobody makes a token meanwhile.
	barred int
}

// told says that a token went out with, or ahead of, an event.
func (o *offers) told(event uint64) { o.event, o.at = event, time.Now() }

// Confirmed says whether the client has shown that it has the newest token.
func (l *Line) Confirmed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.offers.acked >= l.offers.event
}

// Returning stops the making of tokens while it is decided whether a client that returns
// may: the token that it shows and the one that it is answered with would be overtaken.
// It waits for one that is being made, no longer than its store takes to notice that it is
// not wanted. The caller calls done when the return is decided, after Attach if there is
// one; calling it again does nothing.
func (l *Line) Returning() (done func()) {
	l.mu.Lock()
	l.offers.barred++
	busy := l.offers.busy
	if busy != nil {
		l.offers.stop()
	}
	l.mu.Unlock()
	if busy != nil {
		<-busy
	}
	called := false
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !called {
			called = true
			l.offers.barred--
		}
	}
}

// offer has a token made when it is time for one, or those that there are made to last; mu
// is held.
func (l *Line) offer(now time.Time) {
	o := &l.offers
	if l.opts.Offer == nil || l.over != nil || l.link == nil || o.busy != nil || o.barred > 0 ||
		now.Sub(o.at) < l.opts.OfferEvery {
		return
	}
	renew := l.makeOffer
	if o.acked < o.event {
		renew = l.extend
	}
	o.at, o.busy = now, make(chan struct{})
	ctx, cancel := context.WithTimeout(l.ctx, offerWait)
	o.stop = cancel
	l.tasks.Go(func() { renew(ctx) })
}

// makeOffer makes a token and tells the client, unless a return has come meanwhile.
func (l *Line) makeOffer(ctx context.Context) {
	token, err := l.opts.Offer(ctx)
	l.mu.Lock()
	o := &l.offers
	o.stop()
	wanted, input := o.barred == 0, l.ack
	ts := time.Since(l.started).Milliseconds()
	l.mu.Unlock()
	if err == nil && wanted {
		// Of an update that cannot be said the line is over, or its socket lost: then it is
		// replayed.
		_ = l.say(ts, session.ResumptionUpdate{Resume: token, Resumable: true, Input: input}, false)
	} else if err != nil && l.ctx.Err() == nil && wanted {
		l.log.Warn("resume token not renewed", "err", err)
	}
	l.offered()
}

// extend lets the tokens that there are last.
func (l *Line) extend(ctx context.Context) {
	var err error
	if l.opts.Extend != nil {
		err = l.opts.Extend(ctx)
	}
	l.mu.Lock()
	l.offers.stop()
	l.mu.Unlock()
	if err != nil && l.ctx.Err() == nil {
		l.log.Warn("resume token not extended", "err", err)
	}
	l.offered()
}

// offered ends the making of a token.
func (l *Line) offered() {
	l.mu.Lock()
	close(l.offers.busy)
	l.offers.busy = nil
	l.mu.Unlock()
}
