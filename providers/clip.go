package providers

import (
	"context"
	"errors"
	"io"
	"time"
)

// Pace is the speed that the script asks for: Speed, or 1 where it is 0, and four fifths
// of that for the style [Slow]. It is positive for a Speed that is not negative.
func (s Script) Pace() float64 {
	pace := s.Speed
	if pace == 0 {
		pace = 1
	}
	if s.Style == Slow {
		pace *= 0.8
	}
	return pace
}

var (
	// ErrNoAudio is the cause when a clip ends before it has begun.
	ErrNoAudio = errors.New("the answer has no audio")
	// ErrNotMP3 is the cause when a clip is something else.
	ErrNotMP3 = errors.New("the answer is not MP3")
)

// An MP3Answer is a vendor's answer whose body is a clip as it is being made.
type MP3Answer struct {
	Body   io.ReadCloser
	Vendor string
	// Dog was started with the call and bounds the wait for the first bytes; Stall
	// bounds the wait for further ones. The reader's own time does not count.
	Dog   *Watchdog
	Stall time.Duration
	// Failed makes the vendor's *Error of what broke the answer.
	Failed func(cause error) error
}

// Clip waits for the first bytes, which must look like MP3, and returns the clip. After
// an error the answer is closed. ctx is that of the request, above the watchdog's.
func (a MP3Answer) Clip(ctx context.Context) (Clip, error) {
	r := &mp3Reader{MP3Answer: a, ctx: ctx}
	if err := r.begin(); err != nil {
		_ = r.Close()
		return Clip{}, err
	}
	return Clip{ReadCloser: r, Vendor: a.Vendor}, nil
}

// mp3Reader reads such an answer. It is used from one goroutine.
type mp3Reader struct {
	MP3Answer
	ctx    context.Context
	first  []byte // read, but not handed out
	over   error  // what Read returns once first is handed out
	closed bool
}

// firstRead is the most that is read to see how a clip begins, in bytes: less than a
// tenth of a second of it.
const firstRead = 512

// begin reads until the beginning can be judged.
func (r *mp3Reader) begin() error {
	buf := make([]byte, firstRead)
	n := 0
	for n < 3 && r.over == nil {
		k, err := r.Body.Read(buf[n:])
		n += k
		r.over = r.why(err)
	}
	r.Dog.Pause()
	switch r.first = buf[:n]; {
	case n == 0 && errors.Is(r.over, io.EOF):
		return r.Failed(ErrNoAudio)
	case n == 0 || r.over != nil && !errors.Is(r.over, io.EOF):
		return r.over
	case !beginsMP3(r.first):
		return r.Failed(ErrNotMP3)
	}
	return nil
}

// beginsMP3 says whether b begins with a tag or with a frame of MPEG audio.
func beginsMP3(b []byte) bool {
	return len(b) >= 3 && (string(b[:3]) == "ID3" || b[0] == 0xff && b[1]&0xe0 == 0xe0)
}

// Read implements io.Reader.
func (r *mp3Reader) Read(b []byte) (int, error) {
	if len(r.first) > 0 {
		n := copy(b, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	if r.over != nil || len(b) == 0 {
		return 0, r.over
	}
	r.Dog.Resume(r.Stall, "no further audio")
	n, err := r.Body.Read(b)
	r.Dog.Pause()
	if r.over = r.why(err); n > 0 {
		return n, nil
	}
	return 0, r.over
}

// why maps an error of the body to what the clip's contract names.
func (r *mp3Reader) why(err error) error {
	switch late := r.Dog.Expired(); {
	case err == nil || err == io.EOF: //nolint:errorlint // a body's own end is never wrapped
		return err
	case r.ctx.Err() != nil:
		return context.Cause(r.ctx)
	case late != nil:
		return r.Failed(late)
	}
	return r.Failed(NetworkCause(err))
}

// Close implements io.Closer. It ends the vendor's call.
func (r *mp3Reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.Dog.Stop()
	return r.Body.Close()
}
