package main

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
)

// A vendor that is down when a conversation begins costs its part alone: the learner is
// told which, the session stays, and a typed message is answered.
func TestVendorDownAtStart(t *testing.T) {
	t.Parallel()
	down := func(v simulate.Vendor, status int) simulate.Fault {
		return simulate.Fault{Vendor: v, Kind: simulate.FaultStatus, Status: status, Times: -1}
	}
	script := simulate.Scripts()["en"].Turns[0]
	for name, c := range map[string]struct {
		faults []simulate.Fault
		code   session.Code
		answer string
		mute   bool
	}{
		"recogniser":           {[]simulate.Fault{down(simulate.Deepgram, 401)}, session.STTUnavailable, script.Tutor, false},
		"voice":                {[]simulate.Fault{down(simulate.ElevenLabs, 503)}, session.TTSUnavailable, script.Tutor, true},
		"both language models": {[]simulate.Fault{down(simulate.Anthropic, 529), down(simulate.OpenAI, 529)}, session.LLMUnavailable, learn.Apology("en"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var environ []string
			if c.code != session.LLMUnavailable {
				environ = append(environ, "OPENAI_API_KEY=") // which would hear by segments, and speak
			}
			h := openHouse(t, backends()[0], simulate.Latency{}, environ...)
			for _, f := range c.faults {
				h.vendors.Inject(f)
			}
			p := join(t, h.url(), "en", "B2")
			if no := await[session.Failure](p, 1).Error; no.Code != c.code || no.Type != session.UpstreamError || no.Fatal || no.Message == "" {
				t.Errorf("told %+v, want %s", no, c.code)
			}
			await[session.ResponseDone](p, 1)
			if c.mute {
				answeredWith(p, script.Learner, 2, c.answer)
				// Nobody can speak, so that a clip says once why: no more than that is heard.
				if heard := p.samples(1) + p.samples(2); heard == 0 || heard > 5*24_000 {
					t.Errorf("%d samples came while there was no voice, want those of one clip", heard)
				}
			} else {
				typed(p, script.Learner, 2, c.answer, true)
			}
			for _, f := range told[session.Failure](p) {
				if f.Error.Code != c.code {
					t.Errorf("also told %+v", f.Error)
				}
			}
			h.vendors.ClearFaults() // the vendor is back, and so is its part
			typed(p, script.Learner, 3, script.Tutor, true)
			if c.code != session.LLMUnavailable {
				if w := await[session.Warning](p, 1); w.Code != session.WarnUpstreamDegraded {
					t.Errorf("warned of %+v", w)
				}
			}
		})
	}
}

// typed sends a message and checks that the nth response answers it, aloud or not.
func typed(p *pupil, text string, n int, answer string, aloud bool) {
	p.t.Helper()
	answeredWith(p, text, n, answer)
	if came := p.samples(await[session.ResponseCreated](p, n).Stream); aloud != (came > 0) {
		p.t.Errorf("%d samples of answer %d came; aloud: %v", came, n, aloud)
	}
}

// answeredWith sends a message and checks the words of the nth response.
func answeredWith(p *pupil, text string, n int, answer string) {
	p.t.Helper()
	if err := p.call.Send(session.CreateItem{Text: text}); err != nil {
		p.t.Fatal(err)
	}
	await[session.ResponseDone](p, n)
	if got := await[session.CaptionDone](p, n).Transcript; got != answer {
		p.t.Errorf("answered %q, want %q", got, answer)
	}
}

// samples counts the audio that came of a stream.
func (p *pupil) samples(stream uint16) int {
	n := 0
	for _, a := range p.all() {
		if a.frame.Stream == stream {
			n += len(a.frame.Audio) / 2
		}
	}
	return n
}

// Noise is no turn, and a sound that is a voice to the ear but has no words is none
// either: then the tutor says that it did not catch it. What is really said afterwards is
// the first turn.
func TestNoWordsNoTurn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.Latency{})
	p := join(t, h.url(), "en", "B2")
	await[session.ResponseDone](p, 1)
	<-p.mic.Say(recording(t, "xx-01-noise-only"))
	p.mic.Say(make([]byte, 3*32000))
	<-p.mic.Say(humming(1200 * time.Millisecond))
	await[session.NotUnderstood](p, 1)
	if turns := told[session.Committed](p); len(turns) > 0 {
		t.Errorf("noise made the turns %+v", told[session.TranscriptCompleted](p))
	}
	p.mic.Say(recording(t, "en-01-clean"))
	await[session.ResponseDone](p, 2)
	turns := told[session.TranscriptCompleted](p)
	if want := simulate.Scripts()["en"].Turns[0].Learner; len(turns) != 1 || turns[0].Transcript != want {
		t.Errorf("the turns are %+v, want one: %q", turns, want)
	}
}

// humming is a loud hum of the mains: as loud as a voice, but deeper than any word.
func humming(d time.Duration) []byte {
	var pcm []byte
	for i := range int(16000 * d.Seconds()) {
		v := 3000 * math.Sin(2*math.Pi*50*float64(i)/16000)
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(v)))
	}
	return pcm
}
