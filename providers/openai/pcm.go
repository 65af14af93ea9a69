package openai

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"mime"
	"strings"
)

var (
	// errNotPCM is the cause when an engine ignores that PCM was asked for.
	errNotPCM = errors.New("the answer is not bare PCM")
	// errNoAudio is the cause when it answers with nothing.
	errNoAudio = errors.New("the answer holds no audio")
)

// checkPCM refuses content types that cannot be bare PCM. Engines are free with the
// type of what is: audio/pcm, audio/L16, application/octet-stream, or none.
func checkPCM(contentType string) error {
	media, _, _ := mime.ParseMediaType(contentType)
	switch {
	case strings.HasPrefix(media, "text/"), strings.HasSuffix(media, "json"):
		return errNotPCM
	}
	switch media {
	case "audio/wav", "audio/x-wav", "audio/mpeg", "audio/mp3", "audio/ogg", "audio/opus", "audio/flac", "audio/aac":
		return errNotPCM
	}
	return nil
}

// pcmReader cuts an answer's body into whole samples at the rate that is wanted.
type pcmReader struct {
	src  io.Reader
	rate int

	buf     [readSize]byte
	odd     int // bytes of half a sample at buf's beginning
	started bool
	down    downsampler
}

// next returns the audio that has arrived; it blocks until there is some. The
// error is io.EOF at the end, errNotPCM for a file's header, or the source's.
func (p *pcmReader) next() ([]byte, error) {
	for {
		n, err := p.src.Read(p.buf[p.odd:])
		n += p.odd
		if !p.started && n >= 4 {
			p.started = true
			if bytes.HasPrefix(p.buf[:n], []byte("RIFF")) {
				return nil, errNotPCM
			}
		}
		whole := n &^ 1
		var out []byte
		if whole > 0 && (p.started || err != nil) {
			out = p.convert(p.buf[:whole])
			p.odd = copy(p.buf[:], p.buf[whole:n])
		} else {
			p.odd = n
		}
		if len(out) > 0 {
			return out, nil // an error comes again with the next Read
		}
		if err != nil {
			return nil, err
		}
	}
}

// convert returns samples at the wanted rate in memory of their own.
func (p *pcmReader) convert(pcm []byte) []byte {
	if p.rate == spokenRate {
		return bytes.Clone(pcm)
	}
	return p.down.push(make([]byte, 0, len(pcm)*2/3+4), pcm)
}

// The filter of the downsampler, which runs at 48 kHz: flat to 6.5 kHz, more than
// 50 dB down from 8.5 kHz. halfTaps is its length on either side of the middle.
const (
	halfTaps = 48
	cutoff   = 7500.0 / 48000
)

// downsampler turns 24 kHz into 16 kHz: up by two, through a low-pass filter, down
// by three. What it returns does not depend on how the input is cut. It delays by
// half its filter, 1 ms.
type downsampler struct {
	taps [2 * halfTaps]float64 // set on first use
	past [halfTaps]float64     // the last inputs, newest first
	// phase is where the next output falls, in 48 kHz steps after the newest input.
	phase int
}

// push appends the output for the 16-bit samples in pcm to out.
func (d *downsampler) push(out, pcm []byte) []byte {
	if d.taps[halfTaps] == 0 {
		d.design()
	}
	for i := 0; i+1 < len(pcm); i += 2 {
		copy(d.past[1:], d.past[:halfTaps-1])
		d.past[0] = float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		for ; d.phase < 2; d.phase += 3 {
			var sum float64
			for j, x := range d.past {
				sum += x * d.taps[2*j+d.phase]
			}
			v := math.Round(min(max(sum, math.MinInt16), math.MaxInt16))
			out = binary.LittleEndian.AppendUint16(out, uint16(int16(v)))
		}
		d.phase -= 2
	}
	return out
}

// design computes a sinc under a Hamming window, of gain two for the zeros between
// the inputs.
func (d *downsampler) design() {
	var sum float64
	for i := range d.taps {
		x := float64(i) - (2*halfTaps-1)/2.0
		h := math.Sin(2*math.Pi*cutoff*x) / (math.Pi * x)
		d.taps[i] = h * (0.54 + 0.46*math.Cos(2*math.Pi*x/(2*halfTaps)))
		sum += d.taps[i]
	}
	for i := range d.taps {
		d.taps[i] *= 2 / sum
	}
}
