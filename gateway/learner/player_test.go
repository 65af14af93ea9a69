package learner

import (
	"bytes"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session"
)

const rate = 24000

// deck is a player under test with what it has said and sounded.
type deck struct {
	*player
	reports []session.Control
	heard   []byte
	ended   time.Time
}

func newDeck(playOn bool) *deck {
	d := &deck{}
	d.player = newPlayer(newEar(), Handler{PlayOn: playOn, Heard: func(_ string, pcm []byte) { d.heard = append(d.heard, pcm...) }},
		func(c session.Control) {
			d.reports = append(d.reports, c)
			if _, ok := c.(session.PlaybackStopped); ok {
				d.ended = time.Now()
			}
		})
	d.event(session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1"}, Stream: 1,
		Audio: session.AudioFormat{Format: session.Format{Type: session.PCM, Rate: rate}}})
	return d
}

// look returns what was said and sounded by now.
func (d *deck) look() (reports []session.Control, heard []byte) {
	d.mu.Lock() // the player holds it while it tells
	defer d.mu.Unlock()
	return slices.Clone(d.reports), slices.Clone(d.heard)
}

// feed gives the player PCM in frames of 100 ms, and the end of the stream.
func (d *deck) feed(pcm []byte) {
	pos := uint32(0)
	for seq := uint32(0); len(pcm) > 0; seq++ {
		n := min(len(pcm), rate/10*2)
		d.audio(session.Frame{Stream: 1, Seq: seq, Pos: pos, Audio: pcm[:n]})
		pcm, pos = pcm[n:], pos+uint32(n/2)
	}
	d.audio(session.Frame{Stream: 1, Pos: pos, Flags: session.FlagEndOfStream})
}

// samples is PCM in which no two samples near each other are the same.
func samples(length time.Duration) []byte {
	pcm := make([]byte, 0, int(length*rate/time.Second)*2)
	for i := range cap(pcm) / 2 {
		pcm = append(pcm, byte(i), byte(i>>8))
	}
	return pcm
}

// The player stands still at the sample where it was told to, says at once where that
// is, and plays on from the next: pauses change when it ends, and not what is heard.
func TestPlayerPauses(t *testing.T) {
	for name, c := range map[string]struct {
		playOn bool
		lasts  time.Duration
	}{"a client that pauses": {false, 2*time.Second + 700*time.Millisecond}, "one that does not know how": {true, 2 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, pcm, began := newDeck(c.playOn), samples(2*time.Second), time.Now()
				defer d.stop()
				d.feed(pcm)
				for _, pause := range []struct{ at, length time.Duration }{
					{333333 * time.Microsecond, 300 * time.Millisecond}, {99999 * time.Nanosecond, 300 * time.Millisecond}, {time.Second, 100 * time.Millisecond},
				} {
					time.Sleep(pause.at)
					before, _ := d.look()
					d.event(session.PauseAudio{ResponseID: "r_1", Stream: 1})
					after, heard := d.look()
					if len(after) == len(before) && !c.playOn {
						t.Error("it did not say where it stands")
					}
					d.event(session.PauseAudio{ResponseID: "r_1", Stream: 1}) // twice is once
					time.Sleep(pause.length)
					if _, now := d.look(); len(now) != len(heard) && !c.playOn {
						t.Errorf("it played %d bytes while it was to stand still", len(now)-len(heard))
					}
					d.event(session.ResumeAudio{ResponseID: "r_1", Stream: 1})
				}
				time.Sleep(3 * time.Second)
				reports, heard := d.look()
				if !bytes.Equal(heard, pcm) {
					t.Errorf("heard %d bytes that differ from the %d received", len(heard), len(pcm))
				}
				d.mu.Lock()
				took := d.ended.Sub(began)
				d.mu.Unlock()
				if took < c.lasts || took > c.lasts+time.Millisecond {
					t.Errorf("it took %v, want %v", took, c.lasts)
				}
				last, ok := reports[len(reports)-1].(session.PlaybackStopped)
				if !ok || last.PlayedMS != 2000 {
					t.Errorf("the last report is %+v", reports[len(reports)-1])
				}
			})
		})
	}
}

// What is cleared during a pause was heard up to the pause.
func TestPlayerClearedWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, pcm := newDeck(false), samples(2*time.Second)
		defer d.stop()
		d.feed(pcm)
		time.Sleep(500 * time.Millisecond)
		d.event(session.PauseAudio{ResponseID: "r_1", Stream: 1})
		time.Sleep(200 * time.Millisecond)
		d.event(session.ClearAudio{ResponseID: "r_1", Stream: 1})
		want := session.PlaybackCleared{ResponseID: "r_1", PlayedMS: 500, DroppedMS: 1500}
		reports, heard := d.look()
		if got := reports[len(reports)-1]; got != want {
			t.Errorf("reported %+v, want %+v", got, want)
		}
		if !bytes.Equal(heard, pcm[:rate]) {
			t.Errorf("heard %d bytes", len(heard))
		}
		d.event(session.ResumeAudio{ResponseID: "r_1", Stream: 1}) // too late
	})
}

// Another node goes on with a reply and says all of its marks: one that was reached is
// reached once, unless its sound comes again.
func TestMarksSaidAgain(t *testing.T) {
	for name, c := range map[string]struct {
		end  int64 // ms, where what is there is cut
		want int   // how often the mark at 400 ms is reached
	}{"behind it": {800, 1}, "before it": {300, 2}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDeck(false)
				defer d.stop()
				mark := session.Mark{ResponseID: "r_1", Name: "s1", AtMS: 400}
				d.event(mark)
				pcm := samples(time.Second)
				for n := range 10 {
					d.audio(session.Frame{Stream: 1, Seq: uint32(n), Pos: uint32(n * rate / 10), Audio: pcm[n*rate/5 : (n+1)*rate/5]})
				}
				time.Sleep(500 * time.Millisecond)
				d.goOn(&session.ResumedResponse{ID: "r_1", Action: session.ActionRespeak, AudioEndMS: c.end}, false)
				d.event(mark)
				d.event(session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1"}, Stream: 2,
					Audio: session.AudioFormat{Format: session.Format{Type: session.PCM, Rate: rate}}})
				d.audio(session.Frame{Stream: 2, Audio: pcm[:rate/2*2]})
				d.audio(session.Frame{Stream: 2, Seq: 1, Pos: rate / 2, Flags: session.FlagEndOfStream})
				time.Sleep(2 * time.Second)
				reports, _ := d.look()
				reached := 0
				for _, r := range reports {
					if _, ok := r.(session.PlaybackMark); ok {
						reached++
					}
				}
				if reached != c.want {
					t.Errorf("the mark was reached %d times, want %d: %+v", reached, c.want, reports)
				}
			})
		})
	}
}
