package session

import (
	"context"
	"sync/atomic"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// Lengths of the pipeline's queues, and what happens when one is full. See the
// package documentation for the picture.
const (
	micQueue      = 50 // frames; the oldest is dropped and counted: fresh beats complete
	heardQueue    = 16 // blocks LISTEN, which slows the recogniser
	signalQueue   = 16 // blocks UPLINK, which slows the client
	progressQueue = 32 // blocks the stage that reports; CONDUCTOR always drains
	textQueue     = 4  // blocks THINK, which slows the model's stream
	audioQueue    = 8  // blocks SPEAK, which slows the voice's stream
	controlQueue  = 32 // never waits: a full lane ends the session as slow_consumer; more than half full, it slows UPLINK
	recordQueue   = 64 // never waits: a full one ends the session as internal_error
)

// turn is one reply in the making: the unit of cancellation. Its number grows
// with every reply that is begun, and is what makes stale audio recognisable.
type turn struct {
	// static after newTurn
	id         uint64
	responseID string
	itemID     string
	prompt     providers.Prompt
	language   string                 // of the reply, BCP-47
	voice      providers.SpeakOptions // as response.created announced it
	apology    string                 // spoken when the tutor fails before its first word
	held       *held                  // of a draft, see draft_held.go; nil for any other reply
	given      bool                   // its text is given: it is in from, see recall.go
	repeats    string                 // the item that the reply says again, see repeat.go; empty for any other
	from       *resumption            // of a reply that began on another node, see handover_respeak.go; nil for any other

	// sentMS is how much of its audio DOWNLINK has written, for SPEAK.
	sentMS atomic.Int64

	ctx    context.Context
	cancel context.CancelCauseFunc
}

// stream is the turn's number as the binary frames carry it.
func (t *turn) stream() uint16 { return uint16(t.id) }

// errInterrupted is the cause of a turn's context when nobody wants it any more.
type errInterrupted struct{ reason string }

func (e errInterrupted) Error() string { return "session: reply no longer wanted: " + e.reason }

// micFrame is audio on its way to the recogniser. buf is from the frame pool and
// is given back by whoever takes it off the queue.
type micFrame struct {
	buf     *[]byte
	startMS int64 // session audio time of its first sample
	falls   bool  // the voice falls silent with it
	stream  uint16
	seq     uint32
}

// signal is what UPLINK tells CONDUCTOR: a control of the client, or an edge of its voice.
type signal struct {
	control Control
	eventID string
	voice   voiceEdge
	obeyed  chan<- struct{} // told when a control was obeyed; holds one
}

// voiceEdge is a change of voice activity; kind is 0 when the signal is a control.
type voiceEdge struct {
	kind   edgeKind
	atMS   int64 // session audio time
	voiced time.Duration
}

type edgeKind uint8

const (
	voiceStarted edgeKind = iota + 1
	voiceStopped
	voiceLasting // the voice is more than a click; at is where it began
	voiceHushed  // one that lasted seems to be over
)

// heardMsg is what LISTEN tells CONDUCTOR. Times in event are session audio time.
type heardMsg struct {
	event providers.Heard
	// epoch numbers the recogniser's streams: segments of different ones have nothing in common.
	epoch int
	// bent: the event held what cannot be true; see sane.
	bent bool
	// awake: a stream was opened after a rest
	awake bool
	// down and up report the recogniser's absence and return.
	down error
	up   bool
}

// clause is a piece of a reply on its way from THINK to SPEAK.
type clause struct {
	turn *turn
	text string
	last bool // no text follows; text may be empty
}

// audioChunk is a piece of a reply on its way from SPEAK to DOWNLINK.
type audioChunk struct {
	turn *turn
	pcm  []byte
	rate int // of pcm, in hertz
	// clip is what it says, when it is one of package fillers; empty for the voice's
	clip     string
	told     bool // of its first frame
	captions []CaptionDelta
	marks    []Mark
	// last ends the reply; transcript is then its whole text.
	last       bool
	transcript string
}

// progress is what THINK, SPEAK and DOWNLINK tell CONDUCTOR about a turn.
type progress struct {
	turn *turn
	kind progressKind
	at   time.Time
	ms   int // sentAudio, sentAll: audio written so far
	text string
	// words of the reply whose place in the audio is known, see timeline
	words []timedWord
	delta providers.Delta
	err   error
}

type progressKind uint8

const (
	thinkFirstToken progressKind = iota + 1
	thinkFirstClause
	thinkText   // text: what was handed to the voice
	thinkDone   // delta: usage and model
	thinkFailed // err
	speakFirstAudio
	speakWords    // words
	speakFailed   // err: the voice is missing, captions go on
	speakAgain    // the voice is back
	speakFallback // text: the vendor of another voice, which speaks now
	sentAudio     // ms
	sentClip      // ms, as of sentAudio; text: what it says, with its first frame
	sentAll       // ms
)

// outbound is one thing on DOWNLINK's control lane: an event, and before it, perhaps,
// an order to forget all audio of turns up to flush, to let go of the draft release,
// or about a pause; or the session's state after the events before it, for the line.
type outbound struct {
	event   Event
	state   *Handover
	flush   uint64
	release uint64
	pause   pauseOrder
	clip    *clipOrder
}

// record is one thing to keep. JOURNAL gives the message its number.
type record struct {
	message learn.Message
	// edit changes a message that was handed over before, see rewrite.go; there is no other then
	edit    learn.TranscriptEdit
	eventID string   // of the edit
	done    ItemDone // to be told to the client when the message is durable
}

// stored is JOURNAL's answer: the item whose message is durable, or trouble.
type stored struct {
	done    ItemDone
	delayed bool
	fenced  error
	// edited: it was an edit, which may have been refused
	edited, refused bool
	eventID         string
}

// lanes are the queues between the stages. None is ever closed, except records
// and recall by CONDUCTOR; lifetime is carried by contexts.
type lanes struct {
	mic      chan micFrame
	heard    chan heardMsg
	signals  chan signal
	obeyed   chan struct{}     // CONDUCTOR tells UPLINK that the one control it waits for was obeyed
	room     chan struct{}     // DOWNLINK tells UPLINK that it took something off control; one notice is enough
	finalize chan struct{}     // CONDUCTOR asks LISTEN for a final; one pending request is enough
	hearing  chan hearingOrder // CONDUCTOR's newest order to LISTEN
	turns    chan *turn        // holds the newest turn alone
	text     chan clause
	audio    chan audioChunk
	progress chan progress
	control  chan outbound
	records  chan record
	stored   chan stored
	analysed chan analysisDone
	plan     chan learn.Plan // told once, if at all
	helped   chan assisted
	recall   chan recallOrder // closed by CONDUCTOR; never waits: an order for which there is no room is refused
	recalled chan recalled
}

func newLanes() *lanes {
	return &lanes{
		mic:      make(chan micFrame, micQueue),
		heard:    make(chan heardMsg, heardQueue),
		signals:  make(chan signal, signalQueue),
		obeyed:   make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		finalize: make(chan struct{}, 1),
		hearing:  make(chan hearingOrder, 1),
		turns:    make(chan *turn, 1),
		text:     make(chan clause, textQueue),
		audio:    make(chan audioChunk, audioQueue),
		progress: make(chan progress, progressQueue),
		control:  make(chan outbound, controlQueue),
		records:  make(chan record, recordQueue),
		stored:   make(chan stored, recordQueue),
		analysed: make(chan analysisDone, analysisPerSession),
		plan:     make(chan learn.Plan, 1),
		helped:   make(chan assisted, helpAtOnce),
		recall:   make(chan recallOrder, recallQueue),
		recalled: make(chan recalled, recallQueue+1),
	}
}

// report sends p to CONDUCTOR, or gives up when ctx ends.
func (l *lanes) report(ctx context.Context, p progress) error {
	select {
	case l.progress <- p:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
