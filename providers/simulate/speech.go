package simulate

import (
	"context"
	"log/slog"
	"os/exec"
	"sync"
	"unicode"
	"unicode/utf8"
)

// speech is what a simulated voice made of a text. It is shared and never written to.
type speech struct {
	pcm []int16 // mono, at the rate that was asked for
	// marks has one entry per character of the text, in order.
	marks []spokenChar
}

// spokenChar places one character in the audio, in samples from its start.
type spokenChar struct {
	char       string
	start, end int
}

// The pauses that follow a fragment, by what closes it.
const (
	sentencePauseMS = 320
	clausePauseMS   = 130
)

// cacheLimit bounds the resampled audio that a speaker keeps, in bytes. When it
// is full the whole cache is dropped: what is asked for often is soon back.
const cacheLimit = 32 << 20

// maxFragment bounds one run of the engine, in characters; longer fragments are
// spoken in pieces.
const maxFragment = 300

// speaker turns text into audio, fragment by fragment: a shipped clip where
// there is one, else the engine espeak-ng where it is installed, else hummed
// syllables. Safe for concurrent use.
type speaker struct {
	// Static after newSpeaker.
	clips  map[clipKey]string // file by fragment
	engine string             // path of espeak-ng, or ""
	slots  chan struct{}      // one per engine process that may run at once
	log    *slog.Logger

	mu    sync.Mutex
	cache map[cacheKey][]int16
	bytes int // of audio in cache
}

type cacheKey struct {
	clipKey
	rate  int
	speed float64
}

// newSpeaker uses engine as the path of espeak-ng; empty looks for it, "none"
// does without.
func newSpeaker(engine string, log *slog.Logger) *speaker {
	switch engine {
	case "none":
		engine = ""
	case "":
		engine, _ = exec.LookPath("espeak-ng")
	}
	return &speaker{
		clips: clipIndex(), engine: engine, slots: make(chan struct{}, 2), log: log,
		cache: make(map[cacheKey][]int16),
	}
}

// speak returns the audio of text at rate (hertz), at a positive speed of which 1 is
// normal. lang is a BCP-47 tag or empty. It blocks while the engine works; the error is
// ctx's cause alone, since a voice that cannot be used is replaced by a poorer one.
func (v *speaker) speak(ctx context.Context, text, lang string, rate int, speed float64) (speech, error) {
	pieces := cut(text)
	pause := func(p piece) int { return int(float64(p.pauseMS()*rate) / (1000 * speed)) }
	voiced := make([][]int16, len(pieces))
	samples := 0
	for i, p := range pieces {
		audio, err := v.fragment(ctx, p.spoken, primaryTag(lang), rate, speed)
		if err != nil {
			return speech{}, err
		}
		voiced[i] = audio
		samples += len(audio) + pause(p)
	}
	out := speech{make([]int16, 0, samples), make([]spokenChar, 0, utf8.RuneCountInString(text))}
	for i, p := range pieces {
		out.add(p, voiced[i], pause(p))
	}
	return out, nil
}

// add appends a piece: its characters share the voiced audio evenly, what
// follows it shares the pause.
func (s *speech) add(p piece, audio []int16, pause int) {
	at := len(s.pcm)
	for _, r := range p.lead {
		s.marks = append(s.marks, spokenChar{string(r), at, at})
	}
	s.spread(p.spoken, at, len(audio))
	s.spread(p.tail, at+len(audio), pause)
	s.pcm = append(s.pcm, audio...)
	s.pcm = s.pcm[:len(s.pcm)+pause] // silence: nothing was there before
}

// spread places text's characters evenly over n samples from at.
func (s *speech) spread(text string, at, n int) {
	runes := []rune(text)
	for i, r := range runes {
		s.marks = append(s.marks, spokenChar{string(r), at + i*n/len(runes), at + (i+1)*n/len(runes)})
	}
}

// fragment returns the voiced audio of one fragment.
func (v *speaker) fragment(ctx context.Context, text, lang string, rate int, speed float64) ([]int16, error) {
	key := cacheKey{clipKey{lang, normalise(text)}, rate, speed}
	if key.text == "" {
		return nil, nil
	}
	v.mu.Lock()
	pcm, ok := v.cache[key]
	v.mu.Unlock()
	if ok {
		return pcm, nil
	}
	pcm, from, ok := v.clip(key.clipKey)
	if !ok {
		var err error
		if pcm, from, err = v.synthesise(ctx, text, lang); err != nil {
			return nil, err
		}
	}
	pcm = stretch(resample(pcm, from, rate), rate, speed)
	v.keep(key, pcm)
	return pcm, nil
}

// keep puts audio into the cache.
func (v *speaker) keep(key cacheKey, pcm []int16) {
	size := 2*len(pcm) + len(key.text)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bytes+size > cacheLimit {
		clear(v.cache)
		v.bytes = 0
	}
	if _, ok := v.cache[key]; !ok {
		v.cache[key] = pcm
		v.bytes += size
	}
}

// synthesise makes audio for a fragment that has no clip, and says at which rate.
func (v *speaker) synthesise(ctx context.Context, text, lang string) (pcm []int16, rate int, err error) {
	if v.engine != "" {
		for _, part := range parts(text) {
			audio, r, err := v.espeak(ctx, part, lang)
			if ctx.Err() != nil {
				return nil, 0, context.Cause(ctx)
			}
			if err != nil {
				v.log.Warn("espeak-ng failed; humming instead", "err", err)
				return hum(text), humRate, nil
			}
			pcm, rate = append(pcm, audio...), r
		}
		if len(pcm) > 0 {
			return pcm, rate, nil
		}
	}
	return hum(text), humRate, nil
}

// parts divides a long fragment at spaces into pieces of at most maxFragment characters.
func parts(text string) []string {
	var out []string
	runes := []rune(text)
	for len(runes) > maxFragment {
		n := maxFragment
		for n > 0 && !unicode.IsSpace(runes[n]) {
			n--
		}
		if n == 0 {
			n = maxFragment
		}
		out = append(out, string(runes[:n]))
		runes = runes[n:]
	}
	return append(out, string(runes))
}
