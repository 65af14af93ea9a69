package session

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kalami/providers"
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
}

// run speaks turns until ctx ends; it closes the voice's stream.
func (s *speak) run(ctx context.Context) error {
	defer func() {
		if s.stream != nil {
			s.stream.Close()
		}
	}()
	if err := s.warm(ctx); err != nil {
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
		s.turn(c)
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
func (s *speak) warm(ctx context.Context) error {
	want := s.options()
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

// turn speaks one reply whose first piece is c, and returns when it is complete or no longer wanted.
func (s *speak) turn(c clause) {
	ctx := c.turn.ctx
	utterance, err := s.begin(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("voice not available", "provider", s.voice.Name(), "err", err)
		_ = s.lanes.report(ctx, progress{turn: c.turn, kind: speakFailed, err: err})
		s.silent = true
		s.mute(c, newTimeline())
		return
	}
	if err != nil {
		return
	}
	if s.silent {
		s.silent = false
		_ = s.lanes.report(ctx, progress{turn: c.turn, kind: speakAgain})
	}
	r := &reading{turn: c.turn, utterance: utterance, lanes: s.lanes, rate: s.opened.SampleRate,
		texts: make(chan string, textQueue), line: newTimeline()}
	wctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan error, 1)
	go func() { // joined below
		err := r.run()
		if err != nil {
			stop(err) // the writer need not wait for more text
		}
		done <- err
	}()
	rest, werr := s.write(wctx, c, r)
	rerr := <-done
	utterance.Cancel()
	if ctx.Err() == nil && (werr != nil || rerr != nil) {
		err := errors.Join(werr, rerr)
		s.log.Warn("voice broke off", "provider", s.voice.Name(), "err", err)
		_ = s.lanes.report(ctx, progress{turn: c.turn, kind: speakFailed, err: err})
		s.silent = true
		for text := range r.texts {
			r.line.write(text)
		}
		s.mute(rest, r.line)
	}
}

// begin readies the stream and starts an utterance on it; a warm stream that turns
// out to be dead is replaced once.
func (s *speak) begin(ctx context.Context) (providers.Utterance, error) {
	if err := s.warm(ctx); err != nil {
		return nil, err
	}
	u, err := s.stream.Say(ctx)
	if err == nil || ctx.Err() != nil {
		return u, err
	}
	s.stream.Close()
	s.stream = nil
	if err := s.warm(ctx); err != nil {
		return nil, err
	}
	return s.stream.Say(ctx)
}

// write passes the turn's pieces to the voice until the last one, or until ctx
// ends; it returns the piece that the voice was not given then.
func (s *speak) write(ctx context.Context, c clause, r *reading) (rest clause, err error) {
	defer close(r.texts)
	for {
		if c.text != "" {
			select {
			case r.texts <- c.text:
			case <-ctx.Done():
				return c, context.Cause(ctx)
			}
			if err := r.utterance.Write(ctx, c.text, true); err != nil {
				r.utterance.Cancel()
				return clause{turn: c.turn, last: c.last}, providers.Cause(ctx, err)
			}
		}
		if c.last {
			return c, r.utterance.End(ctx)
		}
		if c, err = s.more(ctx, r.turn); err != nil {
			r.utterance.Cancel()
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
	whole := line.text[:line.captioned]
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
	texts     chan string // what was written, in order; closed by the writer

	line      *timeline
	samples   int
	sentences int
}

// run reads until the utterance is complete, broken or no longer wanted; nil
// means complete, and handed on as such.
func (r *reading) run() error {
	ctx := r.turn.ctx
	first := true
	for {
		chunk, err := r.utterance.Next(ctx)
		r.gather()
		if errors.Is(err, io.EOF) {
			return r.end(ctx)
		}
		if err != nil {
			return err
		}
		if first && len(chunk.PCM) > 0 {
			first = false
			if err := r.lanes.report(ctx, progress{turn: r.turn, kind: speakFirstAudio, at: time.Now()}); err != nil {
				return err
			}
		}
		r.samples += len(chunk.PCM) / 2
		r.line.align(chunk.Marks)
		if err := r.hand(ctx, audioChunk{turn: r.turn, pcm: chunk.PCM}); err != nil {
			return err
		}
	}
}

// gather adds what the writer has written meanwhile to the timeline.
func (r *reading) gather() {
	for {
		select {
		case text, ok := <-r.texts:
			if !ok {
				return
			}
			r.line.write(text)
		default:
			return
		}
	}
}

// end hands on what is left of the captions, and the end.
func (r *reading) end(ctx context.Context) error {
	for text := range r.texts {
		r.line.write(text)
	}
	r.line.finish(r.samples * 1000 / r.rate)
	return r.hand(ctx, audioChunk{turn: r.turn, last: true, transcript: r.line.text})
}

// hand completes a chunk with the captions whose place is known by now, and passes
// it on. Words go to CONDUCTOR first: it must know them before they can be played.
func (r *reading) hand(ctx context.Context, chunk audioChunk) error {
	words := r.line.take()
	if len(words) > 0 {
		if err := r.lanes.report(ctx, progress{turn: r.turn, kind: speakWords, words: words}); err != nil {
			return err
		}
	}
	for _, w := range words {
		text := r.line.text[w.From:w.To]
		chunk.captions = append(chunk.captions, CaptionDelta{ResponseID: r.turn.responseID, ItemID: r.turn.itemID,
			Delta: text, AudioStartMS: int64(w.StartMS)})
		if endsWithSentence(text) {
			r.sentences++
			chunk.marks = append(chunk.marks, Mark{ResponseID: r.turn.responseID, Name: "s" + strconv.Itoa(r.sentences), AtMS: int64(w.EndMS)})
		}
	}
	select {
	case r.lanes.audio <- chunk:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// endsWithSentence says whether a word closes a sentence.
func endsWithSentence(word string) bool {
	r, _ := utf8.DecodeLastRuneInString(strings.TrimRight(word, " »”\"')"))
	return strings.ContainsRune(".!?…。！？", r)
}
