package session

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"kalami/session/learn"
)

// returner is a client that comes back: it plays what it gets by the clock, all streams
// of a response as one, reports, and keeps what its microphone heard to send it again.
type returner struct {
	words []string // of the learner's lines, all together
	lines []int    // how many words each line has
	barge int      // the line that is said while the tutor speaks, from 1; 0 for none

	mu        sync.Mutex
	node      *lostNode // nil while it is away
	lastSeq   uint64
	responses []*playing
	done      map[string]bool // items that are told to be stored
	spoken    map[string]bool // the learner's items that were told of
	flagged   bool            // a repetition was announced
	problems  []string
	events    []Event // all of them

	mic    []Frame // all frames from the beginning
	queue  []int   // words to be said, one stamp a frame; -1 is silence
	line   int     // lines begun
	word   int     // words begun
	quiet  int     // milliseconds on one node since the tutor was heard
	ticked int
}

// playing is one response at the player.
type playing struct {
	id, item  string
	stream    uint16
	pcm       []byte // of all its streams
	at        int    // bytes played, in place
	rendered  []byte // whatever was heard, in order
	complete  bool   // no more comes
	over      bool   // stopped, or void
	cut       bool   // it was interrupted
	paused    bool
	told      bool // that it was played to its end
	truncated *Truncated
	captions  []CaptionDelta
	marks     []string
	caption   string // the whole, when it was told
}

// captioned is what the captions say.
func (p *playing) captioned() string {
	var b strings.Builder
	for _, c := range p.captions {
		b.WriteString(c.Delta)
	}
	return b.String()
}

const playedPerMS = speakerRate * 2 / 1000 // bytes

func (p *playing) ms() float64 { return float64(p.at) / playedPerMS }
func (p *playing) state() PlaybackState {
	return PlaybackState{ResponseID: p.id, PlayedMS: p.ms(), BufferedMS: float64(len(p.pcm)-p.at) / playedPerMS}
}

// now is the response that is played, or the last.
func (c *returner) now() *playing {
	if n := len(c.responses); n > 0 {
		return c.responses[n-1]
	}
	return nil
}

func (c *returner) response(id string) *playing {
	i := slices.IndexFunc(c.responses, func(p *playing) bool { return p.id == id })
	if i < 0 {
		return nil
	}
	return c.responses[i]
}

// event takes an event of the node that the client is with.
func (c *returner) event(seq uint64, ev Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSeq = seq
	c.events = append(c.events, ev)
	switch e := ev.(type) {
	case ResponseCreated:
		if p := c.response(e.Response.ID); p != nil {
			p.stream = e.Stream
			return
		}
		c.responses = append(c.responses, &playing{id: e.Response.ID, item: e.Response.ItemID, stream: e.Stream})
	case PauseAudio:
		if p := c.response(e.ResponseID); p != nil {
			p.paused = true
		}
	case ResumeAudio:
		if p := c.response(e.ResponseID); p != nil {
			p.paused = false
		}
	case ClearAudio:
		if p := c.response(e.ResponseID); p != nil && !p.over {
			p.over, p.cut = true, true
			c.say(PlaybackCleared{ResponseID: p.id, PlayedMS: p.ms()})
		}
	case CaptionDelta:
		if p := c.response(e.ResponseID); p != nil {
			p.captions = append(p.captions, e)
		}
	case Mark:
		if p := c.response(e.ResponseID); p != nil && !slices.Contains(p.marks, e.Name) {
			p.marks = append(p.marks, e.Name)
		}
	case CaptionDone:
		if p := c.response(e.ResponseID); p != nil {
			p.caption = e.Transcript
		}
	case AudioDone:
		if p := c.response(e.ResponseID); p != nil {
			p.complete = true
		}
	case Truncated:
		for _, p := range c.responses {
			if p.item == e.ItemID {
				p.truncated, p.over = &e, true
			}
		}
	case TranscriptDelta:
		c.spoken[e.ItemID] = true
	case ItemDone:
		c.done[e.Item.ID] = true
	case Failure:
		c.problems = append(c.problems, string(e.Error.Code)+": "+e.Error.Message)
	}
}

// frame takes a frame of audio.
func (c *returner) frame(f Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.responses {
		if p.stream == f.Stream && !p.over {
			p.pcm = append(p.pcm, f.Audio...)
			p.complete = p.complete || f.Flags&FlagEndOfStream != 0
		}
	}
}

// say sends a control; nobody may be there to take it.
func (c *returner) say(ctl Control) {
	if c.node != nil {
		c.node.inputs <- Input{Control: ctl}
	}
}

// tick plays 20 ms, and hears and sends 20 ms of microphone.
func (c *returner) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticked++
	p := c.now()
	if p != nil && !p.over && !p.paused {
		n := min(20*playedPerMS, len(p.pcm)-p.at)
		p.rendered = append(p.rendered, p.pcm[p.at:p.at+n]...)
		p.at += n
		switch {
		case p.complete && p.at == len(p.pcm) && !p.told:
			p.told = true
			c.say(PlaybackStopped{ResponseID: p.id, PlayedMS: p.ms()})
		case c.ticked%12 == 0 && p.at > 0 && !p.told:
			c.say(PlaybackPosition{PlaybackState: p.state()})
		}
	}
	if c.quiet += 20; p == nil || !p.told && !p.over {
		c.quiet = 0
	}
	c.converse(p)
	c.capture()
}

// converse begins the learner's next line: when the tutor is done, or in mid-sentence.
func (c *returner) converse(p *playing) {
	if c.line == len(c.lines) || len(c.queue) > 0 || p == nil {
		return
	}
	heard := 0 // responses that were heard
	for _, p := range c.responses {
		if p.told || p.cut || p.truncated != nil {
			heard++
		}
	}
	switch {
	case c.line+1 == c.barge:
		if heard < c.line || p.told || p.ms() < 2500 {
			return
		}
	case heard <= c.line || c.quiet < 500:
		return
	}
	for range c.lines[c.line] {
		for range stampWordMS / 20 {
			c.queue = append(c.queue, c.word)
		}
		c.word++
	}
	c.line++
}

// capture makes the microphone's next frame, and sends it if somebody is there.
func (c *returner) capture() {
	pcm := make([]byte, 640)
	if len(c.queue) > 0 {
		level := int16(stampLoud + c.queue[0])
		c.queue = c.queue[1:]
		for i := 0; i < len(pcm); i += 2 {
			binary.LittleEndian.PutUint16(pcm[i:], uint16(level))
			level = -level
		}
	}
	n := len(c.mic)
	c.mic = append(c.mic, Frame{Stream: 1, Seq: uint32(n), Pos: uint32(n * 320), Audio: pcm})
	if c.node != nil {
		c.node.inputs <- Input{Frame: c.mic[n]}
	}
}

// next is the first frame that holds nothing of what is stored.
func (c *returner) next(stored []learn.Message) int {
	words := 0
	for _, m := range stored {
		if m.Speaker == learn.SpeakerLearner {
			words += len(strings.Fields(m.Content))
		}
	}
	if words == 0 {
		return 0
	}
	for i := len(c.mic) - 1; i >= 0; i-- {
		if int(int16(binary.LittleEndian.Uint16(c.mic[i].Audio)))-stampLoud == words-1 {
			return i + 1
		}
	}
	return 0
}

// comeBack goes on with another node, as it was told.
func (c *returner) comeBack(n *lostNode, seq uint64, r *ResumedResponse, restarted bool, stored []learn.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.node, c.lastSeq, c.quiet = n, seq, 0 // whoever waits gives the new node its time
	for _, p := range c.responses {
		p.paused = false
		if restarted && !p.told && (r == nil || r.ID != p.id) {
			p.over = true // it is void
		}
	}
	if r != nil {
		if p := c.response(r.ID); p != nil {
			c.goOn(p, r)
		}
	}
	from := c.next(stored)
	for _, f := range c.mic[from:] {
		f.Flags |= FlagRetransmission
		n.inputs <- Input{Frame: f}
	}
}

// goOn does with a response as it was told.
func (c *returner) goOn(p *playing, r *ResumedResponse) {
	if r.Captions {
		p.captions = nil
	}
	switch r.Action {
	case ActionTruncated:
		p.over, p.cut = true, true
	case ActionRespeak:
		p.complete, p.told = false, false
		p.captions = slices.DeleteFunc(p.captions, func(d CaptionDelta) bool { return d.AudioStartMS >= r.AudioEndMS })
		end := int(r.AudioEndMS) * playedPerMS
		p.pcm, p.at = p.pcm[:min(end, len(p.pcm))], min(p.at, end)
		c.flagged = c.flagged || r.Repeat
	}
}

// heard is what the learner has heard of the tutor, in order.
func (c *returner) heard() string {
	var b strings.Builder
	for _, p := range c.responses {
		b.WriteString(stampsIn(p.rendered))
	}
	return b.String()
}

// away says whether it has nobody to talk to.
func (c *returner) away() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.node == nil || c.node.isOver()
}

// leave parts with a node, and returns what its player holds.
func (c *returner) leave() (p *PlaybackState, last uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.node = nil
	if now := c.now(); now != nil && !now.over {
		state := now.state()
		p = &state
	}
	return p, c.lastSeq
}

// over says whether all lines were said and answered.
func (c *returner) isOver(quietMS int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.line == len(c.lines) && len(c.queue) == 0 && c.quiet >= quietMS
}

// awhile lets d pass for the client.
func (c *returner) awhile(d time.Duration) {
	for range d / (20 * time.Millisecond) {
		time.Sleep(20 * time.Millisecond)
		c.tick()
	}
}
