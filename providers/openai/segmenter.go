package openai

import (
	"encoding/binary"
	"time"

	"kalami/providers/vad"
)

const (
	// preRoll is how much audio before a voice belongs to its segment: consonants are quiet.
	preRoll = 300 * time.Millisecond
	// cutAfter is how much quiet ends a segment.
	cutAfter = 500 * time.Millisecond
	// segmentMost is how long one may be: what models of this kind take at once.
	segmentMost = 30 * time.Second
)

// segment is a stretch of voice. audio is nil while it goes on.
type segment struct {
	startMS, endMS int
	audio          []byte // a WAV file
}

// segmenter cuts audio into segments where nobody speaks. It has one owner at a time.
type segmenter struct {
	rate  int
	ear   *vad.Detector
	at    int64  // samples heard
	from  int64  // of which pcm begins here
	pcm   []byte // the segment under way, or the last of the quiet
	voice bool   // a segment is under way
	// told: its beginning was, since the voice lasts
	told bool
}

func newSegmenter(rate int) *segmenter { return &segmenter{rate: rate, ear: vad.New(rate)} }

// samples is how many a stretch of audio has, ms the time of a sample.
func (s *segmenter) samples(d time.Duration) int64 {
	return int64(d) * int64(s.rate) / int64(time.Second)
}
func (s *segmenter) ms(sample int64) int { return int(sample * 1000 / int64(s.rate)) }

// take hears a piece of audio, 100 ms at most, and calls each for the beginning and for
// the end of a segment.
func (s *segmenter) take(pcm []byte, each func(segment)) {
	s.pcm = append(s.pcm, pcm...)
	s.at += int64(len(pcm) / 2)
	s.ear.Feed(pcm)
	switch quiet := time.Duration(s.ear.Quiet()) * vad.Window; {
	case !s.voice && s.ear.Active():
		s.voice = true
	case !s.voice:
		s.forget()
		return
	case !s.told && !s.ear.Active():
		s.voice = false // a click
		s.forget()
		return
	case quiet >= cutAfter && !s.ear.Active(), s.at-s.from >= s.samples(segmentMost):
		s.cut(each)
		return
	}
	if !s.told && s.ear.Lasted() >= vad.Lasting {
		s.told = true
		each(segment{startMS: s.ms(s.from)})
	}
}

// forget lets go of quiet that is too long ago to belong to a voice.
func (s *segmenter) forget() {
	if extra := s.at - s.from - s.samples(preRoll); extra > 0 {
		s.pcm = append(s.pcm[:0], s.pcm[2*extra:]...)
		s.from += extra
	}
}

// cut ends the segment under way, if there is one, where the audio ends.
func (s *segmenter) cut(each func(segment)) {
	if s.told {
		each(segment{startMS: s.ms(s.from), endMS: s.ms(s.at), audio: s.wav()})
	}
	// A voice that goes on goes on in the next segment.
	s.voice, s.told = false, false
	s.pcm, s.from = s.pcm[:0], s.at
}

// wav makes a file of the segment under way.
func (s *segmenter) wav() []byte {
	le, n := binary.LittleEndian, uint32(len(s.pcm))
	b := make([]byte, 0, 44+len(s.pcm))
	b = le.AppendUint32(append(b, "RIFF"...), 36+n)
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1) // PCM, mono
	b = le.AppendUint32(le.AppendUint32(b, uint32(s.rate)), uint32(2*s.rate))
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), n)
	return append(b, s.pcm...)
}
