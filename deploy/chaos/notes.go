package main

import (
	"encoding/json"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/learner"
	"kalami/session"
	"kalami/session/verify"
)

// notes writes one client's history, for the checker, and keeps what the talker itself
// needs to know.
type notes struct {
	to verify.Recorder

	mu           sync.Mutex
	change       chan struct{} // closed and replaced when something arrives
	conversation string
	session      string
	seq          uint64
	mic, tutor   stretch // frames that are not written down yet
	replies      map[string]*heardReply

	acks, done int // utterances acknowledged, replies that are over
	misheard   int
	lastSign   time.Time // of life: the tutor's audio, or an acknowledgement
	tokens     []string
	returns    []timedReturn
	lostFor    []error
	failures   []string
	playing    string // the reply that is not over
	storing    storing
	away       bool // there is no socket
	heard      hearing
	// answers are all that the tutor ever says, a space between two words; nil when they
	// are not known.
	answers map[string]bool
}

// timedReturn is a return with its time.
type timedReturn struct {
	learner.Return
	at time.Time
}

// oneSpace is a text with one space between two words.
func oneSpace(text string) string { return strings.Join(strings.Fields(text), " ") }

// stretch is frames one after another.
type stretch struct {
	stream     uint16
	from, next uint32
	again      bool
}

// heardReply is what is known of one reply.
type heardReply struct {
	item     string
	stream   uint16
	captions []caption
	whole    string // the transcript, once it is said
	marks    map[string]int64
	repeat   bool  // the next sentence may be heard again
	cutAt    int64 // where the audio that counts ends, in ms, until another stream begins; -1 for nowhere
	short    bool  // it was truncated at the return: how much was heard is not known to the word
}

// caption is some of a reply's text with its place in the audio.
type caption struct {
	text string
	at   int64
}

func newNotes(to verify.Recorder) *notes {
	return &notes{to: to, change: make(chan struct{}), replies: map[string]*heardReply{}, lastSign: time.Now(), storing: newStoring()}
}

// handler is what a lesson tells the notes.
func (n *notes) handler() learner.Handler {
	return learner.Handler{Event: n.event, Audio: n.audio, Report: n.report, Lost: n.lost, Back: n.back, Sent: n.sent}
}

// record writes a fact down, after the frames that came before it; n.mu is held.
func (n *notes) record(f verify.Fact) {
	n.flush(&n.mic)
	n.flush(&n.tutor)
	n.to.Record(n.conversation, f)
}

// flush writes a stretch of frames down.
func (n *notes) flush(r *stretch) {
	if r.next == r.from {
		return
	}
	if r == &n.mic {
		n.to.Record(n.conversation, verify.MicSent{Stream: r.stream, From: r.from, Next: r.next, Again: r.again})
	} else {
		n.to.Record(n.conversation, verify.AudioReceived{Stream: r.stream, From: r.from, Next: r.next})
	}
	r.from = r.next
}

// add adds a frame to a stretch.
func (n *notes) add(r *stretch, f session.Frame) {
	const most = 50
	again := r == &n.mic && f.Flags&session.FlagRetransmission != 0
	if r.stream != f.Stream || r.next != f.Seq || r.again != again || r.next-r.from >= most {
		n.flush(r)
		*r = stretch{f.Stream, f.Seq, f.Seq, again}
	}
	r.next++
}

// sent notes a frame of the microphone that was handed to a socket.
func (n *notes) sent(f session.Frame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.add(&n.mic, f)
}

// audio notes a frame of the tutor's.
func (n *notes) audio(f session.Frame, _ bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.add(&n.tutor, f)
	if f.Flags&session.FlagEndOfStream != 0 {
		r := n.tutor
		n.tutor.from = n.tutor.next
		n.to.Record(n.conversation, verify.AudioReceived{Stream: r.stream, From: r.from, Next: r.next, Last: true})
	}
	n.lastSign = time.Now()
}

// names are the ids that an event speaks of.
type names struct {
	ItemID     string `json:"item_id"`
	ResponseID string `json:"response_id"`
	Item       struct {
		ID string `json:"id"`
	} `json:"item"`
	Response struct {
		ID string `json:"id"`
	} `json:"response"`
}

func namesOf(ev session.Event) (n names) {
	data, err := json.Marshal(ev)
	if err == nil {
		err = json.Unmarshal(data, &n)
	}
	if err != nil { // it was JSON a moment ago
		return names{}
	}
	n.ItemID += n.Item.ID
	n.ResponseID += n.Response.ID
	return n
}

// event notes what the server says.
func (n *notes) event(h session.Head, ev session.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer n.told()
	if n.connected(h, ev) {
		n.seq = h.Seq
		return
	}
	n.seq = h.Seq
	ids := namesOf(ev)
	n.record(verify.EventReceived{Seq: h.Seq, Type: ev.EventType(), Item: ids.ItemID, Response: ids.ResponseID})
	switch e := ev.(type) {
	case session.InputAck:
		n.record(verify.MicAcked{Stream: e.Input.Stream, Seq: e.Input.Seq})
	case session.ItemDone:
		n.itemDone(e)
	case session.ItemAdded:
		n.storing.announced(e)
	case session.Warning:
		n.storing.delayed(e)
	case session.NotUnderstood:
		n.misheard++
	case session.ResumptionUpdate:
		n.tokens = append(n.tokens, e.Resume.Token)
	case session.Failure:
		n.failures = append(n.failures, string(e.Error.Code))
	case session.ResponseCreated:
		n.begin(e)
	case session.CaptionDelta:
		if e.Filler {
			break
		}
		n.of(e.ResponseID).captions = append(n.of(e.ResponseID).captions, caption{e.Delta, e.AudioStartMS})
	case session.CaptionDone:
		n.of(e.ResponseID).whole = e.Transcript
	case session.Mark:
		n.of(e.ResponseID).marks[e.Name] = e.AtMS
	case session.Truncated:
		n.record(verify.PlaybackOver{Item: e.ItemID, PlayedMS: float64(e.AudioEndMS), Cut: true, Text: verify.TextOf(e.Transcript)})
	case session.ResponseDone:
		n.done++
		n.playing = ""
	}
}

// connected notes a socket's first event; false for any other.
func (n *notes) connected(h session.Head, ev session.Event) bool {
	c := verify.Connected{Seq: h.Seq, LastSeq: n.seq}
	var under *session.ResumedResponse
	switch e := ev.(type) {
	case session.Created:
		n.flush(&n.mic) // of the session before
		n.conversation, n.replies, c.LastSeq = e.Session.ConversationID, map[string]*heardReply{}, 0
		c.How, c.Session = "created", e.Session.ID
		n.session = e.Session.ID
		n.tokens, n.playing = append(n.tokens, e.Resume.Token), ""
		n.storing.forget()
	case session.Resumed:
		c.How, c.Session, c.Warm, c.Stream, c.Next, under = "resumed", e.SessionID, e.Warm, e.Input.Stream, e.Input.NextSeq, e.Response
		n.tokens = append(n.tokens, e.Resume.Token)
	case session.Restarted:
		c.How, c.Session, c.Stream, c.Next, under = "restarted", e.Session.ID, e.Input.Stream, e.Input.NextSeq, e.Response
		n.tokens = append(n.tokens, e.Resume.Token)
		n.storing.forget()
		if under == nil {
			n.playing = ""
		}
	default:
		return false
	}
	if under != nil {
		c.Response, c.Action, c.Repeat = under.ID, under.Action, under.Repeat
		r := n.of(under.ID)
		r.cutAt, r.repeat = -1, under.Repeat
		if under.Captions {
			r.captions = nil
		}
		if under.Action != session.ActionContinue {
			r.cutAt = under.AudioEndMS
		}
		r.short = r.short || under.Action == session.ActionTruncated
		if !c.Warm {
			n.heard.broken++
		}
	}
	n.record(c)
	return true
}

// itemDone notes the acknowledgement of what the learner has said.
func (n *notes) itemDone(e session.ItemDone) {
	if e.Item.Role != "user" {
		return
	}
	var text strings.Builder
	for _, c := range e.Item.Content {
		text.WriteString(c.Text)
	}
	n.storing.acknowledged(e.Item.ID)
	n.record(verify.Acknowledged{Item: e.Item.ID, Text: verify.TextOf(text.String())})
	n.acks++
	n.lastSign = time.Now()
}

// of returns a reply by its id.
func (n *notes) of(id string) *heardReply {
	if n.replies[id] == nil {
		n.replies[id] = &heardReply{marks: map[string]int64{}, cutAt: -1}
	}
	return n.replies[id]
}

// begin notes a reply, or another stream for the rest of one.
func (n *notes) begin(e session.ResponseCreated) {
	r := n.of(e.Response.ID)
	if r.item != "" && r.stream != e.Stream && r.cutAt >= 0 { // what came after it is spoken anew
		for i, c := range r.captions {
			if c.at >= r.cutAt {
				r.captions = r.captions[:i]
				break
			}
		}
		r.cutAt = -1
	}
	r.item, r.stream = e.Response.ItemID, e.Stream
	n.playing = e.Response.ID
}

// report notes what the player tells the server.
func (n *notes) report(ctl session.Control) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch m := ctl.(type) {
	case session.PlaybackMark:
		r := n.of(m.ResponseID)
		n.record(verify.SentenceHeard{Response: m.ResponseID, Item: r.item, Mark: m.Name, Text: verify.TextOf(r.before(r.marks[m.Name])), Again: r.repeat})
		n.heard.sentences++
		if r.repeat {
			n.heard.repeated++
		}
		r.repeat = false
	case session.PlaybackStopped:
		r := n.of(m.ResponseID)
		over := verify.PlaybackOver{Response: m.ResponseID, Item: r.item, PlayedMS: m.PlayedMS}
		if !r.short {
			over.Text = verify.TextOf(r.whole)
			if n.answers != nil && !n.answers[oneSpace(r.whole)] {
				n.heard.torn++
			}
		}
		n.record(over)
	}
}

// before is the text that stands before a place in the audio.
func (r *heardReply) before(at int64) string {
	var b strings.Builder
	for _, c := range r.captions {
		if c.at < at {
			b.WriteString(c.text)
		}
	}
	return b.String()
}

// lost notes the end of a socket.
func (n *notes) lost(cause error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = n.away || cause != nil
	n.record(verify.Closed{Code: max(0, int(websocket.CloseStatus(cause))), ByClient: cause == nil})
	if cause != nil {
		n.lostFor = append(n.lostFor, cause)
	}
}

// back notes a return.
func (n *notes) back(r learner.Return) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.returns = append(n.returns, timedReturn{r, time.Now()})
	n.away = false
}

// told wakes whoever waits; n.mu is held.
func (n *notes) told() {
	close(n.change)
	n.change = make(chan struct{})
}
