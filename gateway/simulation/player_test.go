package simulation

import (
	"slices"
	"strings"
	"time"

	"kalami/session"
	"kalami/session/verify"
)

const bytesPerMS = voiceRate * 2 / 1000

// player plays responses, all streams of one as one.
type player struct {
	responses []*playing
	paused    bool
	ticks     int
	word      session.Control      // the last report about the end of a response
	run       verify.AudioReceived // frames that are not yet written down
}

// playing is one response at the player.
type playing struct {
	id, item string
	stream   uint16
	base     int // bytes before the stream's first
	pcm      []byte
	at       int // bytes played
	complete bool
	long     int  // bytes of all its audio, once that is told
	over     bool // stopped, or void
	told     bool // that it was played to its end
	started  bool
	captions bool // its voice failed: what was shown counts as heard
	marks    []session.Mark
	words    int    // that were heard
	clip     bool   // the last thing in it is a clip
	text     string // all of it, as it was told in the end
}

// heard is what its audio says. An apology may cut a word in two, of which the first half
// is none.
func (p *playing) heard() string {
	heard, told := strings.Fields(spoken(p.pcm)), strings.Fields(p.text)
	if n := len(told); p.clip && len(heard) == n+1 && slices.Equal(heard[:n], told) {
		heard = told
	}
	return strings.Join(heard, " ")
}

func (p *playing) ms() float64 { return float64(p.at) / bytesPerMS }

// now is the response that is played, or the last.
func (pl *player) now() *playing {
	if n := len(pl.responses); n > 0 {
		return pl.responses[n-1]
	}
	return nil
}

func (pl *player) find(id string) *playing {
	if i := slices.IndexFunc(pl.responses, func(p *playing) bool { return p.id == id }); i >= 0 {
		return pl.responses[i]
	}
	return nil
}

// busy says whether the tutor is heard, or will be.
func (pl *player) busy() bool {
	p := pl.now()
	return p != nil && !p.told && !p.over
}

// starves says whether it waits for audio.
func (pl *player) starves() bool {
	p := pl.now()
	return pl.busy() && !pl.paused && !p.complete && p.at > 0 && p.at == len(p.pcm)
}

// state is what a return is begun with.
func (pl *player) state() *session.PlaybackState {
	p := pl.now()
	if p == nil {
		return nil
	}
	s := &session.PlaybackState{ResponseID: p.id, PlayedMS: p.ms()}
	if !p.over { // else the rest was thrown away
		s.BufferedMS = float64(len(p.pcm)-p.at) / bytesPerMS
	}
	return s
}

// event takes what concerns the player.
func (pl *player) event(c *client, ev session.Event) {
	switch e := ev.(type) {
	case session.ResponseCreated:
		p := pl.find(e.Response.ID)
		if p == nil {
			p = &playing{id: e.Response.ID, item: e.Response.ItemID}
			pl.responses = append(pl.responses, p)
			pl.responses = pl.responses[max(0, len(pl.responses)-8):]
		}
		p.stream, p.base = e.Stream, len(p.pcm)
		pl.paused = false
	case session.Mark:
		if p := pl.find(e.ResponseID); p != nil {
			p.marks = append(p.marks, e)
		}
	case session.CaptionDelta:
		if p := pl.find(e.ResponseID); p != nil {
			p.clip = e.Filler
		}
	case session.CaptionDone:
		if p := pl.find(e.ResponseID); p != nil {
			p.text = e.Transcript
		}
	case session.PauseAudio:
		pl.paused = true
	case session.ResumeAudio:
		pl.paused = false
	case session.ClearAudio:
		if p := pl.find(e.ResponseID); p != nil && !p.over {
			p.over, pl.paused = true, false
			pl.word = session.PlaybackCleared{ResponseID: p.id, PlayedMS: p.ms()}
			c.send(pl.word)
		}
	case session.AudioDone: // what is sent again after a break comes behind it
		if p := pl.find(e.ResponseID); p != nil {
			p.complete, p.long = true, int(e.AudioMS)*bytesPerMS
		}
	case session.Truncated:
		for _, p := range pl.responses {
			if p.item == e.ItemID {
				p.over = true
				c.record(verify.PlaybackOver{Response: p.id, Item: p.item, PlayedMS: float64(e.AudioEndMS), Cut: true, Text: verify.TextOf(e.Transcript)})
			}
		}
	case session.ResponseDone:
		if p := pl.find(e.Response.ID); p != nil && e.Response.Status != "completed" {
			p.over = true
		}
	}
}

// frame takes a frame of audio; what it has already it drops.
func (pl *player) frame(c *client, f session.Frame) {
	if f.Stream != pl.run.Stream || f.Seq != pl.run.Next || pl.run.Next-pl.run.From > 20 {
		pl.flush(c)
		pl.run = verify.AudioReceived{Stream: f.Stream, From: f.Seq}
	}
	pl.run.Next, pl.run.Last = f.Seq+1, f.Flags&session.FlagEndOfStream != 0
	for _, p := range pl.responses {
		if p.stream != f.Stream || p.over {
			continue
		}
		p.complete = p.complete || pl.run.Last
		at := p.base + int(f.Pos)*2
		if at > len(p.pcm) {
			c.world.fail("%s: audio of %s is missing from byte %d to %d, stream %d, base %d, at %v", c.name, p.id, len(p.pcm), at, p.stream, p.base, time.Now())
		}
		if have := len(p.pcm) - at; have < len(f.Audio) {
			p.pcm = append(p.pcm, f.Audio[max(0, have):]...)
		}
	}
}

// flush writes down which frames have come.
func (pl *player) flush(c *client) {
	if pl.run.Next > pl.run.From {
		c.record(pl.run)
		pl.run.From = pl.run.Next
	}
}

// void forgets what a restarted session does not go on with.
func (pl *player) void(r *session.ResumedResponse) {
	for _, p := range pl.responses {
		if !p.told && (r == nil || r.ID != p.id) {
			p.over = true
		}
	}
}

// goOn does with a response as it was told.
func (pl *player) goOn(r *session.ResumedResponse) {
	p := pl.find(r.ID)
	if p == nil {
		p = &playing{id: r.ID, item: r.ItemID}
		pl.responses = append(pl.responses, p)
	}
	switch r.Action {
	case session.ActionTruncated:
		p.over = true
	case session.ActionRespeak:
		end := int(r.AudioEndMS) * bytesPerMS
		p.complete, p.told, p.long, pl.word = false, false, 0, nil
		p.pcm, p.at = p.pcm[:min(end, len(p.pcm))], min(p.at, end)
		p.marks = slices.DeleteFunc(p.marks, func(m session.Mark) bool { return m.AtMS > r.AudioEndMS })
	}
}

// play plays one tick and reports.
func (pl *player) play(c *client, _ time.Time) {
	pl.ticks++
	p := pl.now()
	if p == nil || p.over || pl.paused {
		return
	}
	p.at += min(frameMS*bytesPerMS, len(p.pcm)-p.at)
	if p.at > 0 && !p.started {
		p.started = true
		c.send(session.PlaybackStarted{ResponseID: p.id})
	}
	for len(p.marks) > 0 && p.at >= int(p.marks[0].AtMS)*bytesPerMS {
		m := p.marks[0]
		p.marks = p.marks[1:]
		if text := verify.TextOf(spoken(p.pcm[:int(m.AtMS)*bytesPerMS])); text.Words > p.words {
			p.words = text.Words
			c.record(verify.SentenceHeard{Response: p.id, Item: p.item, Mark: m.Name, Text: text})
		}
		c.send(session.PlaybackMark{Name: m.Name, ResponseID: p.id, PlayedMS: p.ms()})
	}
	switch {
	case p.complete && p.at == len(p.pcm) && p.at >= p.long && !p.told:
		p.told = true
		heard := verify.PlaybackOver{Response: p.id, Item: p.item, PlayedMS: p.ms()}
		if !p.captions {
			heard.Text = verify.TextOf(p.heard())
		}
		c.record(heard)
		pl.word = session.PlaybackStopped{ResponseID: p.id, PlayedMS: p.ms()}
		c.send(pl.word)
	case pl.ticks%3 == 0 && p.at > 0 && !p.told:
		c.send(session.PlaybackPosition{PlaybackState: *pl.state()})
	}
}
