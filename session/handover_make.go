package session

import (
	"time"

	"kalami/session/learn"
)

// handing is what CONDUCTOR keeps to hand the session over; owned by its run.
type handing struct {
	on      bool // the client is on a [Line], which keeps states
	told    landmarks
	pending []learn.Message // handed to JOURNAL; a slice that is handed out is never changed
	changes int             // of pending
	last    string          // utterance id of the latest message
	reuse   string          // the id for the utterance that is begun next; empty for a new one
	owed    *OpenReply      // the answer that this session does not begin any more; nil for none
}

// landmarks is what a state is made anew for: it tells the conversation's steps apart, but
// no partial transcripts, no frames, and of what was played whole sentences alone.
type landmarks struct {
	config    Config
	turns     uint64
	usage     Usage
	prevID    string
	pending   int
	utterance string
	moving    bool
	owes      bool
	until     time.Time // of the access token

	response  string
	text      int // bytes of whole sentences
	complete  bool
	sentences int // whose places are known
	played    int // of them
	clips     int // milliseconds of the audio: what follows is further back
	allSent   bool
	reason    string
}

// produced is what there is of a reply, sentence by sentence; owned by CONDUCTOR.
type produced struct {
	note      string
	complete  bool // the tutor says no more
	seen      int  // bytes of the text that were looked at
	text      int  // of it, whole sentences
	sentences []SpokenSentence
	places    []int // of the timeline's words that were looked at, as in OpenReply.Words
	ends      []int // of the sentences, in places
}

// follow looks at what the timeline has got, once.
func (p *produced) follow(r *reply) {
	if len(r.line.text) != p.seen {
		p.seen, p.text = len(r.line.text), lastSentence(r.line.text)
	}
	for _, w := range r.line.words[min(len(p.places)/2, len(r.line.words)):] {
		end := r.wait.clips.end(w.EndMS)
		p.places = append(p.places, w.To, end)
		if w.To <= len(r.line.text) && endsWithSentence(r.line.text[w.From:w.To]) {
			p.end(w.To, end)
		}
	}
	if n := len(p.sentences); r.allSent && p.complete && r.line.text != "" && (n == 0 || p.sentences[n-1].To < len(r.line.text)) {
		p.end(len(r.line.text), r.sentMS)
	}
}

// end notes where a sentence ends.
func (p *produced) end(to, ms int) {
	p.sentences = append(p.sentences, SpokenSentence{To: to, EndMS: ms})
	p.ends = append(p.ends, len(p.places))
}

// unplayed are the places of the words after those sentences that were played.
func (p *produced) unplayed(ms float64) []int {
	from := 0
	if n := p.played(ms); n > 0 {
		from = p.ends[n-1]
	}
	return p.places[from:len(p.places):len(p.places)]
}

// played is how many sentences the client has reported as played.
func (p *produced) played(ms float64) int {
	n := len(p.sentences)
	for n > 0 && float64(p.sentences[n-1].EndMS) > ms {
		n--
	}
	return n
}

// landmarks are those of the session as it is now.
func (c *conductor) landmarks() landmarks {
	at := landmarks{config: c.config, turns: c.turns, usage: c.usage, prevID: c.prevID, pending: c.handing.changes, utterance: c.learner.itemID,
		moving: !c.moving.told.IsZero(), owes: c.handing.owed != nil, until: c.watch.validUntil}
	if r := c.reply; r != nil {
		r.made.follow(r)
		at.response, at.reason, at.allSent = r.turn.responseID, r.reason, r.allSent
		at.text, at.complete, at.sentences = r.made.text, r.made.complete, len(r.made.sentences)
		at.played, at.clips = r.made.played(r.playedMS), r.wait.clips.total()
	}
	return at
}

// handOver gives the session as it is now to the line, behind what was said up to now, if
// it has passed a landmark.
func (c *conductor) handOver() {
	if !c.handing.on {
		return
	}
	at := c.landmarks()
	if at == c.handing.told {
		return
	}
	c.handing.told = at
	c.send(outbound{state: c.state()})
}

// state is the session as it is now. It shares nothing with CONDUCTOR that changes.
func (c *conductor) state() *Handover {
	h := &Handover{
		SessionID: c.config.ID, Epoch: c.params.Conversation.Epoch, StartedAt: c.started, Config: c.config, ValidUntil: c.watch.validUntil,
		Streams: c.turns, PrevItemID: c.prevID, Turns: c.totals.Turns, Usage: c.usage,
		Pending: c.handing.pending, LastMessage: c.handing.last, Habits: c.habits, Moving: !c.moving.told.IsZero(),
	}
	if c.recall.card != nil {
		h.Review = c.recall.card.ID
	}
	if td := c.config.Audio.Input.TurnDetection; td != nil {
		h.Adapts = td.adapts
	}
	if id := c.learner.itemID; id != "" {
		h.Utterance = &OpenUtterance{ItemID: id}
		h.Utterance.From, _ = c.link.places.before(c.learner.fromMS - beforeSign)
	}
	if h.Reply = c.handing.owed; c.reply != nil {
		h.Reply = c.openReply(c.reply)
	}
	return h
}

// owe notes that whoever goes on with the session is to begin a reply.
func (c *conductor) owe(note string) {
	c.handing.owed = &OpenReply{PrevItemID: c.prevID, Note: note}
}

// openReply is a reply as it is now.
func (c *conductor) openReply(r *reply) *OpenReply {
	o := &OpenReply{
		ResponseID: r.turn.responseID, ItemID: r.turn.itemID, PrevItemID: r.prevID, Stream: r.turn.stream(), Note: r.made.note,
		Text: r.line.text, Complete: r.made.complete, Sentences: r.made.sentences[:len(r.made.sentences):len(r.made.sentences)],
		Words: r.made.unplayed(r.playedMS), SentMS: r.sentMS, PlayedMS: int(r.playedMS), Interrupted: r.reason,
		Model: r.delta.Model, Tokens: r.delta.Usage.OutputTokens,
	}
	if o.FromMS = r.fromMS; r.turn.from != nil {
		o.FromMS = r.turn.from.ms
	}
	c.openRepetition(o, r)
	switch {
	case r.reason != "":
		o.PlayedMS = int(c.playedEstimate(r.until))
	case r.notice: // whoever goes on has nothing to answer: it is over where it is
		o.Interrupted = "error"
	}
	return o
}

// await notes a message that JOURNAL has got.
func (h *handing) await(m learn.Message) {
	h.last = m.UtteranceID
	if h.on {
		h.pending = append(h.pending[:len(h.pending):len(h.pending)], m)
		h.changes++
	}
}

// durable notes that a message is stored. JOURNAL takes them in order, so that those
// before it are decided, too.
func (h *handing) durable(utteranceID string) {
	for i, m := range h.pending {
		if m.UtteranceID == utteranceID {
			h.pending = append([]learn.Message(nil), h.pending[i+1:]...)
			h.changes++
			return
		}
	}
}
