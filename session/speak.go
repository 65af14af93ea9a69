package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"kalami/providers"
	"kalami/session/cutting"
)

// openVoiceDeadline bounds the opening of a voice; the reply goes on as text after it.
const openVoiceDeadline = 4 * time.Second

// speak turns pieces of text into audio. It owns the voice's stream, which it keeps
// warm between replies and opens again when the vendor has closed it.
type speak struct {
	voice   providers.Voice
	options func() providers.SpeakOptions
	lanes   *lanes
	log     *slog.Logger

	// owned by run
	stream providers.VoiceStream
	opened providers.SpeakOptions
	next   *clause // the first piece of a turn that came while the one before was being left
	silent bool    // the voice was missing at the last reply
	// excused: the learner was told so aloud
	excused bool
}

// run speaks turns until ctx ends; it closes the voice's stream.
func (s *speak) run(ctx context.Context) error {
	defer func() {
		if s.stream != nil {
			s.stream.Close()
		}
	}()
	if err := s.warm(ctx, s.options()); err != nil {
		s.log.Warn("voice not available", "provider", s.voice.Name(), "err", err)
		if err := s.lanes.report(ctx, progress{kind: speakFailed, err: err}); err != nil {
			return err
		}
		s.silent = true
	}
	for {
		c, err := s.take(ctx)
		if err != nil {
			return err
		}
		if c.turn.ctx.Err() != nil {
			continue // nobody wants it any more
		}
		if err := s.turn(c); err != nil {
			return err
		}
		s.warmAgain(ctx, c.turn)
	}
}

// take returns the next piece of text.
func (s *speak) take(ctx context.Context) (clause, error) {
	if s.next != nil {
		c := *s.next
		s.next = nil
		return c, nil
	}
	select {
	case c := <-s.lanes.text:
		return c, nil
	case <-ctx.Done():
		return clause{}, context.Cause(ctx)
	}
}

// warm opens the voice if it is not open, or not as it should be.
func (s *speak) warm(ctx context.Context, want providers.SpeakOptions) error {
	if s.stream != nil && s.stream.Alive() && s.opened == want {
		return nil
	}
	if s.stream != nil {
		s.stream.Close()
		s.stream = nil
	}
	ctx, cancel := context.WithTimeout(ctx, openVoiceDeadline)
	defer cancel()
	stream, err := s.voice.Open(ctx, want)
	if err != nil {
		return err
	}
	s.stream, s.opened = stream, want
	return nil
}

// turn speaks one reply whose first piece is c, and returns when it is complete or no
// longer wanted. An error is a fault of our own.
func (s *speak) turn(c clause) error {
	ctx := c.turn.ctx
	if c.last && c.text == "" { // all of it was said before, elsewhere
		s.mute(c, newTimeline())
		return nil
	}
	utterance, err := s.begin(ctx, c.turn.voice)
	if ctx.Err() != nil {
		if err == nil {
			utterance.Cancel()
		}
		return nil
	}
	if err != nil {
		s.missing(c.turn, err)
		s.mute(c, newTimeline())
		return nil
	}
	r := &reading{turn: c.turn, utterance: utterance, lanes: s.lanes, rate: s.opened.SampleRate, line: newTimeline(), gauge: newGauge(s.opened.Speed)}
	_, _, r.sentences = c.turn.before()
	if s.silent { // a line that opens is no voice yet: it is back when it is heard
		r.back = func() {
			s.silent, s.excused = false, false
			_ = s.lanes.report(ctx, progress{turn: c.turn, kind: speakAgain})
		}
	}
	rest, werr, rerr := s.both(c, r)
	utterance.Cancel()
	failed := errors.Join(werr, rerr)
	if fault, ok := errors.AsType[*End](failed); ok {
		return fault
	}
	if rerr != nil && ctx.Err() == nil { // else all audio has come
		s.missing(c.turn, failed)
		r.gather()
		s.mute(rest, r.line)
	}
	return nil
}

// both writes the turn's text to the utterance and reads its audio at the same time.
// Either's failure ends the other.
func (s *speak) both(c clause, r *reading) (rest clause, werr, rerr error) {
	ctx, stop := context.WithCancelCause(c.turn.ctx)
	defer stop(nil)
	var reader sync.WaitGroup
	reader.Go(func() {
		if rerr = guard(c.turn.ctx, r.run); rerr != nil {
			stop(rerr) // the writer need not wait for more text
		}
	})
	werr = guard(ctx, func(ctx context.Context) (err error) {
		rest, err = s.write(ctx, c, r)
		return err
	})
	if werr != nil {
		r.utterance.Cancel() // the reader need not wait for more audio
	}
	reader.Wait()
	return rest, werr, rerr
}

// missing tells that the voice failed in a turn, and why.
func (s *speak) missing(t *turn, err error) {
	s.log.Warn("voice not available", "provider", s.voice.Name(), "err", err)
	_ = s.lanes.report(t.ctx, progress{turn: t, kind: speakFailed, err: err})
	s.silent = true
}

// begin readies the stream and starts an utterance on it; a warm stream that turns
// out to be dead is replaced once.
func (s *speak) begin(ctx context.Context, want providers.SpeakOptions) (providers.Utterance, error) {
	if err := s.warm(ctx, want); err != nil {
		return nil, err
	}
	u, err := s.stream.Say(ctx)
	if err == nil || ctx.Err() != nil {
		return u, err
	}
	s.stream.Close()
	s.stream = nil
	if err := s.warm(ctx, want); err != nil {
		return nil, err
	}
	return s.stream.Say(ctx)
}

// write passes the turn's pieces to the voice until the last one, or until ctx
// ends; it returns the piece that the voice was not given then.
func (s *speak) write(ctx context.Context, c clause, r *reading) (rest clause, err error) {
	for pieces := 0; ; {
		if c.text != "" {
			if pieces++; pieces > 1 { // a draft costs no more than its first piece
				err := c.turn.letGo(ctx)
				if err == nil {
					err = r.gauge.room(ctx, c.turn)
				}
				if err != nil {
					return clause{turn: c.turn, text: c.text, last: c.last}, err
				}
			}
			r.written(c.text)
			c.turn.countSpoken(c.text)
			if err := r.utterance.Write(ctx, c.text, true); err != nil {
				return clause{turn: c.turn, last: c.last}, providers.Cause(ctx, err)
			}
		}
		if c.last {
			r.whole.Store(true)
			return clause{turn: c.turn, last: true}, r.utterance.End(ctx)
		}
		if c, err = s.more(ctx, r.turn); err != nil {
			return clause{turn: r.turn}, err
		}
	}
}

// more waits for the turn's next piece. A piece of a newer turn means that this
// one is over; it is kept for the next take.
func (s *speak) more(ctx context.Context, t *turn) (clause, error) {
	select {
	case c := <-s.lanes.text:
		if c.turn != t {
			s.next = &c
			return clause{}, context.Canceled
		}
		return c, nil
	case <-ctx.Done():
		return clause{}, context.Cause(ctx)
	}
}

// mute shows the rest of a reply as captions alone, because there is no voice: what
// line has not captioned, then c and the pieces after it.
func (s *speak) mute(c clause, line *timeline) {
	ctx := c.turn.ctx
	c.text = line.text[line.captioned:] + c.text
	said, _, _ := c.turn.before()
	whole := said + line.text[:line.captioned]
	if !s.excuse(c) {
		return
	}
	for {
		whole += c.text
		chunk := audioChunk{turn: c.turn, last: c.last, transcript: whole}
		if c.text != "" {
			chunk.captions = []CaptionDelta{{ResponseID: c.turn.responseID, ItemID: c.turn.itemID, Delta: c.text}}
		}
		select {
		case s.lanes.audio <- chunk:
		case <-ctx.Done():
			return
		}
		if c.last {
			return
		}
		var err error
		if c, err = s.more(ctx, c.turn); err != nil {
			return
		}
	}
}

// reading takes one utterance's audio and hands it on with captions and marks.
type reading struct {
	turn      *turn
	utterance providers.Utterance
	lanes     *lanes
	rate      int
	back      func() // told of the first audio after a reply without any; or nil

	// what the writer wrote and the reader has not gathered; bounded by the reply
	mu    sync.Mutex
	text  string
	whole atomic.Bool // the writer has written everything

	// owned by run
	vendor    string // whose voice it is, when it is not the preferred one
	line      *timeline
	samples   int
	sentences int
	sounded   int // letters of line that are known to have sounded
	matched   int // bytes of them

	gauge *gauge // of both
}

// written adds text that is given to the voice.
func (r *reading) written(text string) {
	r.mu.Lock()
	r.text += text
	r.mu.Unlock()
	r.gauge.wrote(text)
}

// gather moves what the writer has written to the timeline.
func (r *reading) gather() {
	r.mu.Lock()
	text := r.text
	r.text = ""
	r.mu.Unlock()
	r.line.write(text)
}

// run reads until the utterance is complete, broken or no longer wanted; nil
// means complete, and handed on as such.
func (r *reading) run(ctx context.Context) error {
	first := true
	for {
		chunk, err := r.utterance.Next(ctx)
		whole := r.whole.Load()
		r.gather()
		over := errors.Is(err, io.EOF) && providers.KindOf(err) == 0 // a failure may wrap the end of a connection
		if over && !whole {
			return &providers.Error{Kind: providers.Unavailable, Op: "speak", Detail: "the audio ended before the text"}
		}
		if over {
			return r.end(ctx)
		}
		if err != nil {
			return err
		}
		if first && len(chunk.PCM) > 0 {
			first = false
			if r.back != nil {
				r.back()
			}
			if err := r.lanes.report(ctx, progress{turn: r.turn, kind: speakFirstAudio, at: time.Now()}); err != nil {
				return err
			}
		}
		if chunk.Fallback && r.vendor != chunk.Vendor {
			r.vendor = chunk.Vendor
			if err := r.lanes.report(ctx, progress{turn: r.turn, kind: speakFallback, text: chunk.Vendor}); err != nil {
				return err
			}
		}
		r.samples += len(chunk.PCM) / 2
		r.line.align(chunk.Marks)
		r.measure()
		if err := r.hand(ctx, audioChunk{turn: r.turn, pcm: chunk.PCM, rate: r.rate}); err != nil {
			return err
		}
	}
}

// measure tells the writer how far the voice is.
func (r *reading) measure() {
	to, ms := r.line.sounded()
	if to > r.matched {
		r.sounded += cutting.Letters(r.line.text[r.matched:to])
		r.matched = to
	}
	r.gauge.got(r.samples*1000/r.rate, r.sounded, ms)
}

// end hands on what is left of the captions, and the end.
func (r *reading) end(ctx context.Context) error {
	r.line.finish(r.samples * 1000 / r.rate)
	said, _, _ := r.turn.before()
	return r.hand(ctx, audioChunk{turn: r.turn, last: true, transcript: said + r.line.text})
}

// sentenceMark is the name of the mark at a sentence's end; the first is 1.
func sentenceMark(n int) string { return "s" + strconv.Itoa(n) }

// hand completes a chunk with the captions whose place is known by now, and passes
// it on. Words go to CONDUCTOR first: it must know them before they can be played.
func (r *reading) hand(ctx context.Context, chunk audioChunk) error {
	words := r.line.take()
	said, ms, _ := r.turn.before()
	for i := range words {
		w := &words[i]
		w.From, w.To, w.StartMS, w.EndMS = w.From+len(said), w.To+len(said), w.StartMS+ms, w.EndMS+ms
	}
	if len(words) > 0 {
		if err := r.lanes.report(ctx, progress{turn: r.turn, kind: speakWords, words: words}); err != nil {
			return err
		}
	}
	chunk.captions = slices.Grow(chunk.captions, len(words))
	for _, w := range words {
		text := r.line.text[w.From-len(said) : w.To-len(said)]
		chunk.captions = append(chunk.captions, CaptionDelta{ResponseID: r.turn.responseID, ItemID: r.turn.itemID,
			Delta: text, AudioStartMS: int64(w.StartMS)})
		if endsWithSentence(text) {
			r.sentences++
			chunk.marks = append(chunk.marks, Mark{ResponseID: r.turn.responseID, Name: sentenceMark(r.sentences), AtMS: int64(w.EndMS)})
		}
	}
	select {
	case r.lanes.audio <- chunk:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
