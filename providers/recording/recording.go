// Package recording tells what an uploaded recording is: its container, the codec
// inside, and how long it lasts.
//
// Learners' clients record in whatever their platform gives them: phones in M4A,
// browsers in WebM or fragmented MP4, others in Ogg, WAV or MP3. Names and media
// types lie, so [Inspect] looks at the content alone. It walks the container's whole
// structure without decoding a sample: pages, blocks, boxes, frames or chunks, down to
// the audio itself. What passes is complete enough for a speech recogniser to read;
// what does not gets an error that says, for people, what is wrong with it, before a
// vendor is paid to say the same.
//
// The bytes come from strangers. Time is linear in their number, nesting is bounded,
// and nothing is allocated by a size that they claim.
package recording

import (
	"path"
	"strings"
	"time"

	"kalami/providers"
)

// Info is what a recording is.
type Info struct {
	Format providers.AudioFormat
	// Codec is how the samples are kept: "pcm", "float", "alaw" or "mulaw" in WAV, "mp3",
	// "opus", "vorbis", "aac" or "alac" elsewhere; WebM may hold "pcm" and "float" too.
	Codec string
	// Duration of what is heard, exact within one frame of the codec; more than 0.
	Duration time.Duration
	// SampleRate is in hertz and Channels at least 1, both as the container states
	// them. Opus always states 48000.
	SampleRate, Channels int
}

// longest is how long a recording may claim to last. Nothing of a size that vendors
// take comes near it.
const longest = 24 * time.Hour

// container is a format that is known by its first bytes.
type container struct {
	is      func(audio []byte) bool
	inspect func(audio []byte) (Info, error)
}

// Inspect finds out what a recording is. audio is the whole file; it is neither
// changed nor kept. The error is [ErrEmpty], [ErrUnknown], or an [*Error], which is
// [ErrBroken], for a container that is known and cannot be used.
func Inspect(audio []byte) (Info, error) {
	if len(audio) == 0 {
		return Info{}, ErrEmpty
	}
	for _, c := range []container{
		{isWAV, inspectWAV},
		{isOgg, inspectOgg},
		{isWebM, inspectWebM},
		{isM4A, inspectM4A},
		{func([]byte) bool { return true }, inspectMP3}, // it has no first bytes of its own
	} {
		if c.is(audio) {
			info, err := c.inspect(audio)
			if err == nil {
				err = check(info)
			}
			if err != nil {
				return Info{}, err
			}
			return info, nil
		}
	}
	return Info{}, ErrUnknown
}

// check refuses what no container may claim.
func check(i Info) error {
	switch {
	case i.Duration <= 0:
		return broken(i.Format, "holds no audio")
	case i.Duration > longest:
		return broken(i.Format, "claims to last more than a day")
	case i.SampleRate < 4000 || i.SampleRate > 384000:
		return broken(i.Format, "claims a sample rate of %d Hz", i.SampleRate)
	case i.Channels < 1 || i.Channels > 255:
		return broken(i.Format, "claims %d channels", i.Channels)
	}
	return nil
}

// samples is the time that n samples take at a rate. It saturates far above [longest].
func samples(n uint64, rate int) time.Duration {
	const most = 1 << 33
	if rate <= 0 {
		return 0
	}
	seconds := min(n/uint64(rate), most)
	return time.Duration(seconds)*time.Second + time.Duration(n%uint64(rate))*time.Second/time.Duration(rate)
}

// FormatOfName tells a recording's format by its file name's extension, in capitals or
// not. known is false, and the format WAV, the API's default, when there is none or
// another.
func FormatOfName(name string) (format providers.AudioFormat, known bool) {
	switch strings.ToLower(path.Ext(name)) {
	case ".wav":
		return providers.WAV, true
	case ".mp3":
		return providers.MP3, true
	case ".webm":
		return providers.WebM, true
	case ".m4a", ".mp4":
		return providers.M4A, true
	case ".ogg", ".oga", ".opus":
		return providers.Ogg, true
	}
	return providers.WAV, false
}
