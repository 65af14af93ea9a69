package speech

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"kalami/providers"
)

// Bounds of what is remembered.
const (
	// MaxRepeated is the longest text whose clip is kept, in characters: a phrase or a sentence.
	MaxRepeated = 160
	// MaxClip is the most that such a clip may have, in bytes: over a minute of speech.
	MaxClip = 2 << 20
	// storeTime bounds each call of the store.
	storeTime = 2 * time.Second
)

// Clips keeps clips for a while, within bounds of its own. Safe for concurrent use.
type Clips interface {
	// Clip returns the MP3 that is kept under key; ok is false when there is none.
	Clip(ctx context.Context, key string) (mp3 []byte, ok bool, err error)
	// KeepClip keeps a clip under key. It may forget others, and this one at any time.
	KeepClip(ctx context.Context, key string, mp3 []byte) error
}

// remembered asks one vendor for a clip, unless it is remembered or just arriving.
func (s *Service) remembered(ctx context.Context, v Synthesizer, script providers.Script) (providers.Clip, error) {
	if s.opt.Clips == nil || utf8.RuneCountInString(script.Text) > MaxRepeated {
		return v.Synthesize(ctx, script)
	}
	key := clipKey(v.Signature(script), script.Text)
	f, err := s.board(key, v, script)
	if err != nil {
		return providers.Clip{}, err
	}
	r := &passenger{ctx: ctx, service: s, flight: f, key: key}
	if err := r.await(); err != nil && !errors.Is(err, io.EOF) {
		_ = r.Close()
		return providers.Clip{}, err
	}
	return providers.Clip{ReadCloser: r, Vendor: v.Synthesizer.Name()}, nil
}

// clipKey names a clip without telling what is said in it.
func clipKey(signature, text string) string {
	h := sha256.New()
	h.Write([]byte(signature))
	h.Write([]byte{0})
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// board joins the flight of that key, or starts one.
func (s *Service) board(key string, v Synthesizer, script providers.Script) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, refusal("speak", providers.Unavailable, errClosed)
	}
	if f := s.flights[key]; f != nil {
		f.board()
		return f, nil
	}
	f := newFlight()
	ctx, cancel := context.WithCancelCause(s.ctx)
	f.cancel = cancel
	s.flights[key] = f
	s.work.Go(func() {
		defer cancel(nil)
		defer s.land(key, f)
		s.receive(ctx, f, key, v, script)
	})
	return f, nil
}

// land takes a flight off the board.
func (s *Service) land(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[key] == f {
		delete(s.flights, key)
	}
}

// leave takes a listener off a flight. The last one to leave before the end ends the
// vendor's call.
func (s *Service) leave(key string, f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !f.leave() || f.over() {
		return
	}
	if s.flights[key] == f {
		delete(s.flights, key)
	}
	f.cancel(errNobodyListens)
}

// receive fills a flight from the store or from the vendor. A whole clip of the
// vendor's is kept before the flight lands, so that nobody finds neither.
func (s *Service) receive(ctx context.Context, f *flight, key string, v Synthesizer, script providers.Script) {
	if mp3 := s.recall(ctx, key); len(mp3) > 0 {
		f.add(mp3)
		f.end(io.EOF)
		return
	}
	clip, err := v.Synthesize(ctx, script)
	if err != nil {
		s.fail(key, f, err)
		return
	}
	defer clip.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := clip.Read(buf)
		if !f.add(buf[:n]) {
			err = refusal("speak", providers.Unavailable, errTooLong)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.fail(key, f, err)
			return
		}
	}
	mp3 := f.end(io.EOF)
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if err := s.opt.Clips.KeepClip(keep, key, mp3); err != nil {
		s.opt.Log.Warn("a clip could not be kept", "err", err)
	}
}

// fail ends a flight with an error. It is off the board first, so that whoever asks
// again after that error asks the vendor again.
func (s *Service) fail(key string, f *flight, err error) {
	s.land(key, f)
	f.end(err)
}

// recall asks the store; what it cannot tell is not there.
func (s *Service) recall(ctx context.Context, key string) []byte {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	mp3, ok, err := s.opt.Clips.Clip(ctx, key)
	if err != nil {
		s.opt.Log.Warn("remembered clips could not be looked up", "err", err)
	}
	if err != nil || !ok {
		return nil
	}
	return mp3
}
