package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// breakOff ends the recogniser's stream under way, as a lost connection does.
func (k *talk) breakOff() {
	close(k.hears.last().events)
	synctest.Wait()
}

// The recogniser is lost in the middle of a sentence. What it had understood is kept,
// another stream is opened, and its times, which start anew, are the session's again.
func TestRecogniserLostInASentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.mic(600, true)
		k.hear(providers.HeardUpdate, "Ayer fui")
		k.breakOff()
		lost := k.sentMS
		k.mic(600, true) // the lane keeps it until somebody listens again
		k.said = 0
		k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Text: "al mercado.", StartMS: 100, EndMS: 580,
			Words: []providers.Word{{Text: "al", StartMS: 100, EndMS: 200}, {Text: "mercado.", StartMS: 220, EndMS: 580}}}
		k.until("the turn ends", func() bool { return len(eventsOf[Committed](k.conn)) == 1 })
		k.finish()
		if got := strings.Join(k.transcripts(), "|"); got != "Ayer fui al mercado." {
			t.Errorf("turns %q", got)
		}
		words := eventsOf[TranscriptCompleted](k.conn)[0].Words
		if n := len(words); n == 0 || words[n-1].EndMS < lost+560 || words[n-1].EndMS > lost+600 {
			t.Errorf("the last word ends at %+v, want %d ms of the session's audio", words, lost+580)
		}
		if f, w := eventsOf[Failure](k.conn), eventsOf[Warning](k.conn); len(f) != 1 || f[0].Error.Code != STTUnavailable || len(w) != 1 {
			t.Errorf("the client was told %+v, %+v", f, w)
		}
	})
}

// A recogniser that takes the stream and drops it at once is tried less and less often.
func TestRecogniserThatDropsEveryStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.hears.drops = true
		k.start()
		k.mic(30_000, false)
		k.finish()
		if n := k.hears.opened; n < 5 || n > 15 {
			t.Errorf("opened %d times in half a minute", n)
		}
	})
}

// The client chooses another rate before its first audio: nothing of it is lost, and
// it is heard on a stream of that rate. After the first audio the rate is fixed.
func TestRateOfTheMicrophone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		chosen := func(rate int) Control {
			return UpdateSession{ConfigPatch{Audio: &AudioPatch{Input: &InputPatch{Format: &Format{Type: PCM, Rate: rate}}}}}
		}
		// Without waiting for the answer, as the protocol allows.
		k.conn.inputs <- Input{Control: chosen(48000)}
		for i := range 10 {
			k.conn.inputs <- Input{Frame: Frame{Stream: 1, Seq: uint32(i), Pos: uint32(i * 960), Audio: make([]byte, 1920)}}
		}
		synctest.Wait()
		k.send(chosen(8000))
		h := k.hears.last()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.opt.SampleRate != 48000 || h.samples != 9600 || !k.hears.streams[0].closed {
			t.Errorf("%d samples were heard at %d Hz", h.samples, h.opt.SampleRate)
		}
		if f := eventsOf[Failure](k.conn); len(f) != 1 || f[0].Error.Code != ConfigLocked || f[0].Error.Param != "session.audio.input.format" {
			t.Errorf("failures %+v", f)
		}
		h.mu.Unlock()
		k.finish()
		h.mu.Lock()
	})
}

// Frames are acknowledged when the recogniser has them and no utterance can have begun in
// them, once a second, and the keeper of the stream tells it that silence is meant.
func TestAcknowledgedFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.mic(3000, false)
		acks := eventsOf[InputAck](k.conn)
		if n := len(acks); n < 1 || n > 2 {
			t.Fatalf("%d acknowledgements in 3 s", n)
		}
		last := acks[len(acks)-1].Input
		if last.Stream != 1 || last.NextSeq != last.Seq+1 || last.Seq < 60 || last.Seq > 75 {
			t.Errorf("acknowledged %+v", last)
		}
		for range 3 {
			k.send(DeviceState{Muted: true})
			time.Sleep(5 * time.Second)
		}
		k.finish()
		if h := k.hears.last(); h.kept != 3 {
			t.Errorf("told to be patient %d times in 15 s", h.kept)
		}
	})
}

// A stream has as many frames as there are numbers, which are years of them: the last one
// has none after it that could be asked for, and is not acknowledged.
func TestLastFrameNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.conn.inputs <- Input{Frame: Frame{Stream: 65535, Seq: 1<<32 - 1, Audio: make([]byte, 640)}}
		time.Sleep(3100 * time.Millisecond)
		if end := k.finish(); end.Reason != EndNormal {
			t.Errorf("ended by %v", end)
		}
		if acks := eventsOf[InputAck](k.conn); len(acks) != 0 {
			t.Errorf("acknowledged %+v", acks)
		}
	})
}

// A word's time counts all audio that the learner's device took, also what was lost on
// its way here.
func TestGapsKeepTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		before := k.sentMS
		k.mic(200, true)
		k.sentMS += 2000 // lost: the positions go on, the numbers do not matter
		k.mic(400, true)
		k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Text: "Hola.", StartMS: before + 300, EndMS: before + 500,
			Words: []providers.Word{{Text: "Hola.", StartMS: before + 300, EndMS: before + 500}}}
		k.until("the turn ends", func() bool { return len(eventsOf[TranscriptCompleted](k.conn)) == 1 })
		k.finish()
		if w := eventsOf[TranscriptCompleted](k.conn)[0].Words[0]; w.StartMS != before+2300 || w.EndMS != before+2500 {
			t.Errorf("the word is at %+v, want from %d", w, before+2300)
		}
	})
}

// More gaps than are remembered do not disturb the newest times.
func TestManyGaps(t *testing.T) {
	l := &listen{rate: 16000}
	for i := range int64(3 * maxSpans) {
		l.anchor(i*100, i*150)
	}
	if n := len(l.spans); n != maxSpans {
		t.Errorf("%d gaps are remembered", n)
	}
	last := 3*maxSpans - 1
	if got := l.session(last*100 + 7); got != last*150+7 {
		t.Errorf("mapped to %d, want %d", got, last*150+7)
	}
	if got := (&listen{}).session(5); got != 5 {
		t.Errorf("before any audio: %d", got)
	}
}

// The learner mutes in the middle of a word: the voice is over, and the turn does not
// wait for more of it.
func TestMuteEndsTheVoice(t *testing.T) {
	for name, mute := range map[string]func(k *talk){
		"told":          func(k *talk) { k.send(DeviceState{Muted: true}) },
		"silent frames": func(k *talk) { k.conn.inputs <- Input{Frame: Frame{Stream: 1, Flags: FlagSilence}} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				k.mic(600, true)
				k.hear(providers.HeardEnd, "Ayer fui al mercado.")
				mute(k)
				time.Sleep(1700 * time.Millisecond)
				synctest.Wait()
				if n := len(eventsOf[Committed](k.conn)); n != 1 {
					t.Errorf("%d turns after B1's patience\n%s", n, k.story())
				}
				if n := len(eventsOf[SpeechStopped](k.conn)); n != 1 {
					t.Errorf("the voice ended %d times", n)
				}
				k.finish()
			})
		})
	}
}

// The meter follows every stretch of voice of a turn, not its first alone.
func TestEveryEdgeIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		for range 3 {
			k.say("Y entonces")
			k.mic(600, false)
		}
		k.finish()
		started, stopped := eventsOf[SpeechStarted](k.conn), eventsOf[SpeechStopped](k.conn)
		if len(started) != 3 || len(stopped) != 3 || started[2].ItemID != started[0].ItemID {
			t.Errorf("edges %+v, %+v", started, stopped)
		}
	})
}
