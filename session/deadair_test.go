package session

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/fillers"
)

// faultyTutor answers as a fakeTutor does, but for the trouble that is chosen for a call.
type faultyTutor struct {
	fakeTutor
	trouble func() trouble
}

// trouble is what a vendor does wrong: it waits before and within an answer, and then
// refuses, breaks off, or says nothing more until it is cancelled.
type trouble struct {
	first, within  time.Duration
	refuse, breaks bool
	hang           bool
}

func (t *faultyTutor) Reply(ctx context.Context, p providers.Prompt) iter.Seq2[providers.Delta, error] {
	x := t.trouble()
	return func(yield func(providers.Delta, error) bool) {
		if !rest(ctx, x.first, x.hang && x.within == 0) || x.refuse {
			yield(providers.Delta{}, providers.Cause(ctx, errBroken))
			return
		}
		if !yield(providers.Delta{Text: "Ayer fui al mercado. "}, nil) {
			return
		}
		if !rest(ctx, x.within, x.hang) || x.breaks {
			yield(providers.Delta{}, providers.Cause(ctx, errBroken))
			return
		}
		if yield(providers.Delta{Text: "¿Y tú, qué hiciste ayer?"}, nil) {
			yield(providers.Delta{Done: true, Model: "fake/1"}, nil)
		}
	}
}

// rest waits, for ever if it hangs; it says whether ctx goes on. A channel that fires at
// once is no wait: two of one bubble may run into each other in the race detector
// (go.dev/issue/78156).
func rest(ctx context.Context, d time.Duration, hang bool) bool {
	if hang {
		<-ctx.Done()
		return false
	}
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// faultyVoice speaks as a fakeVoice does, but for the trouble that is chosen for an utterance.
type faultyVoice struct {
	fakeVoice
	trouble func() trouble
}

func (v *faultyVoice) Open(ctx context.Context, opt providers.SpeakOptions) (providers.VoiceStream, error) {
	stream, err := v.fakeVoice.Open(ctx, opt)
	return &faultyStream{stream, v.trouble}, err
}

type faultyStream struct {
	providers.VoiceStream
	trouble func() trouble
}

func (s *faultyStream) Say(ctx context.Context) (providers.Utterance, error) {
	x := s.trouble()
	if x.refuse {
		return nil, errBroken
	}
	u, err := s.VoiceStream.Say(ctx)
	return &faultyUtterance{Utterance: u, trouble: x}, err
}

type faultyUtterance struct {
	providers.Utterance
	trouble
	given int
}

func (u *faultyUtterance) Next(ctx context.Context) (providers.Chunk, error) {
	wait := u.within
	if u.given == 0 {
		wait = u.first
	}
	u.given++
	if !rest(ctx, wait, u.hang && (u.given > 1 || u.within == 0)) || u.breaks && u.given > 1 {
		return providers.Chunk{}, providers.Cause(ctx, errBroken)
	}
	return u.Utterance.Next(ctx)
}

// someTrouble is one of the ways in which a vendor is dead, slow or lying.
func someTrouble(r *rand.Rand) trouble {
	slow := func() time.Duration { return time.Duration(r.IntN(9000)) * time.Millisecond }
	switch r.IntN(6) {
	case 0:
		return trouble{refuse: true, first: slow()}
	case 1:
		return trouble{hang: true}
	case 2:
		return trouble{hang: true, first: slow(), within: 1}
	case 3:
		return trouble{first: slow()}
	case 4:
		return trouble{first: slow(), within: slow()}
	}
	return trouble{breaks: true, within: slow()}
}

// With any one vendor dead, slow or lying, a learner who has said something hears the tutor
// after 2.5 s at the latest, and again and again until the answer is there or given up; what
// the learner said is stored, and the next turn is answered.
func TestNoDeadAir(t *testing.T) {
	const turns, perSession = 1000, 10
	seed := uint64(5)
	r := rand.New(rand.NewPCG(seed, 0))
	var sum silences
	for range turns / perSession {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			var fault [2]trouble
			k.host.Tutor = &faultyTutor{trouble: func() trouble { return fault[0] }}
			k.host.Voice = &faultyVoice{trouble: func() trouble { return fault[1] }}
			k.start()
			k.greeted()
			k.loudUntil = time.Now()
			for n := 1; n <= perSession; n++ {
				fault = [2]trouble{}
				fault[r.IntN(2)] = someTrouble(r)
				k.send(CreateItem{Text: fmt.Sprintf("Turno %d.", n)})
				for len(eventsOf[ResponseDone](k.conn)) <= n && time.Since(k.loudUntil) < time.Hour {
					k.mic(20, false)
					time.Sleep(180 * time.Millisecond)
				}
			}
			k.finish()
			sum.add(t, k)
			said := 0
			for _, m := range k.journal.stored() {
				if strings.HasPrefix(m.Content, "Turno ") {
					said++
				}
				if strings.Contains(m.Content, fillers.Say("es", fillers.Thinking).Text) {
					t.Errorf("stored %q", m.Content)
				}
			}
			if said != perSession {
				t.Errorf("%d of %d turns of the learner's are stored", said, perSession)
			}
		})
	}
	if sum.turns != turns+turns/perSession || sum.fillers == 0 || sum.failed == 0 || sum.longest > silenceMost {
		t.Errorf("%+v", sum)
	}
	t.Logf("dead air: turns=%d longest_ms=%d over_2500_ms=%d fillers=%d failed=%d seed=%d",
		sum.turns, sum.longest.Milliseconds(), sum.over, sum.fillers, sum.failed, seed)
}

// silences are what a client hears nothing for while an answer is owed.
type silences struct {
	turns, fillers, failed, over int
	longest                      time.Duration
}

// add listens to a session: from a response's beginning to the end of its audio, frames
// are played as they come, one after the other.
func (s *silences) add(t *testing.T, k *talk) {
	var quiet time.Time // since then there is nothing to be played
	owed := false
	note := func(at time.Time) {
		if d := at.Sub(quiet); owed && d > 0 {
			s.longest = max(s.longest, d)
			if d > silenceMost {
				s.over++
				t.Errorf("%s of silence\n%s", d, k.story())
			}
		}
	}
	for _, w := range k.conn.all() {
		switch e := w.event.(type) {
		case nil:
			note(w.at)
			quiet = later(quiet, w.at).Add(time.Duration(len(w.frame.Audio)/48) * time.Millisecond)
		case ResponseCreated:
			quiet, owed = w.at, true
			s.turns++
		case AudioDone:
			note(w.at)
			owed = false
		case CaptionDelta:
			if e.Filler {
				s.fillers++
			}
		case ResponseDone:
			if e.Response.Status == "failed" {
				s.failed++
			}
		}
	}
}

// A learner who interrupts after a filler and before the answer has heard nothing of it,
// and one who hears it out has heard it all; captions lie where their words sound.
func TestFillerIsNoAnswer(t *testing.T) {
	for _, interrupted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.host.Voice = &faultyVoice{trouble: func() trouble { return trouble{first: 4500 * time.Millisecond} }}
			k.start()
			k.until("a filler is heard", func() bool { return len(eventsOf[CaptionDelta](k.conn)) > 0 })
			clip := eventsOf[CaptionDelta](k.conn)[0]
			if want := fillers.Say("es", fillers.Thinking); !clip.Filler || clip.Delta != want.Text+" " || clip.AudioStartMS != 0 {
				t.Errorf("the first caption is %+v", clip)
			}
			k.mic(1000, false)
			if interrupted {
				k.send(CancelResponse{})
				k.finish()
				if cut := eventsOf[Truncated](k.conn)[0]; cut.Transcript != "" || cut.AudioEndMS == 0 {
					t.Errorf("%+v", cut)
				}
				return
			}
			k.greeted()
			k.finish()
			ms := int64(len(fillers.Say("es", fillers.Thinking).PCM(24000)) / 48)
			if next := eventsOf[CaptionDelta](k.conn)[1]; next.Filler || next.AudioStartMS < ms-1 || next.AudioStartMS > ms+1 {
				t.Errorf("the answer begins at %+v, after a clip of %d ms", next, ms)
			}
			if done, m := eventsOf[CaptionDone](k.conn)[0], k.journal.stored()[0]; done.Transcript != "Good." || m.Content != "Good." || m.Heard != "Good." {
				t.Errorf("%+v, stored %q, heard %q", done, m.Content, m.Heard)
			}
		})
	}
}

// Places of words are moved by the clips before them, and what was played is not only words.
func TestPlacesAroundClips(t *testing.T) {
	in := inserted{}.sent(0, 100, "a").sent(100, 100, "").sent(700, 300, "b") // voice: 0-500, then the rest
	for _, tt := range []struct{ start, from, end, to int }{{0, 200, 0, 0}, {499, 699, 500, 700}, {500, 1000, 501, 1001}} {
		if got := in.start(tt.start); got != tt.from {
			t.Errorf("a word at %d begins at %d, want %d", tt.start, got, tt.from)
		}
		if got := in.end(tt.end); got != tt.to {
			t.Errorf("a word until %d ends at %d, want %d", tt.end, got, tt.to)
		}
	}
	for played, want := range map[int]int{0: 0, 150: 0, 200: 0, 450: 250, 700: 500, 900: 500, 1100: 600} {
		if got := in.voiced(played); got != want {
			t.Errorf("of %d ms, %d are the voice's, want %d", played, got, want)
		}
	}
}

// Whoever goes on with a reply knows where its sentences end behind a clip, also when the
// words were there before all of the clip was sent.
func TestStateKnowsOfClips(t *testing.T) {
	h := &Host{Deps: Deps{Tutor: &fakeTutor{}, Log: slog.New(slog.DiscardHandler)}}
	c := h.assemble(Params{Config: Config{ID: "vs_1", Language: "es", Level: "B1"}}).conductor(h, Params{}, h.Log).conductor
	c.handing.on, c.ctx = true, t.Context()
	c.beginReply("")
	r := c.reply
	ends := func() (ms int) {
		c.handOver()
		for len(c.lanes.control) > 0 {
			if o := <-c.lanes.control; o.state != nil && len(o.state.Reply.Sentences) > 0 {
				ms = o.state.Reply.Sentences[0].EndMS
			}
		}
		return ms
	}
	c.onProgress(progress{turn: r.turn, kind: thinkText, text: "Muy bien. "})
	c.onProgress(progress{turn: r.turn, kind: sentClip, at: time.Now(), ms: 100, text: "Mm."})
	c.onProgress(progress{turn: r.turn, kind: speakWords, words: []timedWord{{From: 0, To: 4, EndMS: 300}, {From: 4, To: 10, StartMS: 300, EndMS: 900}}})
	for _, sent := range []int{100, 200, 250} {
		if sent > 100 {
			c.onProgress(progress{turn: r.turn, kind: sentClip, at: time.Now(), ms: sent})
		}
		if got := ends(); got != 900+sent {
			t.Errorf("with %d ms of the clip sent, the sentence ends at %d", sent, got)
		}
	}
}
