package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// A client that does not read, while much is to be told: it is let go as soon as the
// control lane is full, before a write has taken too long, and nothing hangs.
func TestFullControlLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection.InterruptResponse = false
		k.start()
		k.conn.mu.Lock()
		k.conn.blocked = make(chan struct{})
		k.conn.mu.Unlock()
		began := time.Now()
		for i := range controlQueue + 8 {
			k.hears.last().events <- providers.Heard{Kind: providers.HeardUpdate, Text: strings.Repeat("palabra ", i+1), EndMS: i}
			time.Sleep(10 * time.Millisecond)
		}
		if end := <-k.result; end.Reason != EndSlowConsumer {
			t.Errorf("ended as %v", end)
		}
		if took := time.Since(began); took > writeDeadline+time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A client's controls wait while it does not read, and it is let go after one write's
// time: UPLINK does not wait for ever.
func TestControlsOfAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.conn.mu.Lock()
		k.conn.blocked = make(chan struct{})
		k.conn.mu.Unlock()
		began := time.Now()
		for range 3 * controlQueue {
			k.conn.inputs <- Input{Control: SetTutor{SpeechRate: new(1.1)}}
		}
		if end := <-k.result; end.Reason != EndSlowConsumer {
			t.Errorf("ended as %v", end)
		}
		if took := time.Since(began); took > writeDeadline+time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// What the gateway finds fatal in a client's messages ends the session as what it is.
func TestFatalProblems(t *testing.T) {
	for code, want := range map[Code]EndReason{
		RateLimited: EndRateLimited, InputOverrun: EndRateLimited, TicketInvalid: EndUnauthorised, TicketExpired: EndUnauthorised,
		Forbidden: EndForbidden, MessageTooLarge: EndTooBig, InvalidEvent: EndBadRequest, UnsupportedFormat: EndBadRequest,
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.start()
			k.send(Rejected{Problem{Code: code, Fatal: true}})
			if end := <-k.result; end.Reason != want || end.Code != code {
				t.Errorf("%s ends as %v", code, end)
			}
			if got := eventsOf[Failure](k.conn); len(got) != 1 || !got[0].Error.Fatal {
				t.Errorf("%s is told as %+v", code, got)
			}
			if got := len(eventsOf[Ended](k.conn)) == 1; got != want.final() {
				t.Errorf("%s: session.ended %v, want %v", code, got, want.final())
			}
		})
	}
}
