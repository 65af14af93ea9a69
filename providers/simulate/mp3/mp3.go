// Package mp3 encodes speech as MP3, so that the simulated vendors can answer in the
// format that the real ones are asked for.
//
// It is here because nothing else could be: there is no encoder in pure Go that could
// be imported, and one in C would need cgo, for which nobody should have to install a
// compiler to try the keyless start. It encodes MPEG-1 and MPEG-2 Layer III (ISO/IEC
// 11172-3 and 13818-3), one channel at a constant bit rate, and leaves out what makes
// a good encoder big:
//
//   - no psychoacoustic model: the noise is spread evenly over the spectrum, as loud as
//     the bit rate demands, and scale factors stay 0;
//   - long blocks only, so that a sharp attack has a little noise before it;
//   - no bit reservoir: every frame stands alone, so that clips can be joined or cut
//     between any two frames.
//
// Speech of 24 kHz at 64 kbit/s comes out with 30 dB and more between signal and noise,
// a hundred times faster than it is spoken.
//
// A frame goes through four stages, one to a file: a filter bank of 32 bands, a cosine
// transform of each band, quantization with the finest step that fits, and prefix
// codes.
package mp3

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// granule is how many samples are transformed and quantized at a time.
const granule = 576

// Delay is how many samples later than its input the decoded output is, in any
// decoder: encoder and decoder each look at more than they give.
const Delay = 1057

// Encoder writes samples as MP3 frames. Not safe for concurrent use.
type Encoder struct {
	// static after NewEncoder
	w                    io.Writer
	rate, bitRate        int
	mpeg1                bool
	rateIndex, bitsIndex byte
	filter               filterBank
	transform            transform
	quantizer            quantizer

	samples   []float64 // of a frame that is being filled
	odd       []byte    // the first half of a sample, or empty
	remainder int       // of bytes, that paddings make up for
	frame     bitWriter
	err       error // the first of w, or errClosed
}

var errClosed = errors.New("mp3: the encoder is closed")

// NewEncoder returns an encoder of one channel to w. sampleRate is in hertz: 16000,
// 22050 or 24000 (MPEG-2), 32000, 44100 or 48000 (MPEG-1). bitRate is in bits a second:
// one that the standard knows for the rate, such as 32000, 64000 or 128000.
func NewEncoder(w io.Writer, sampleRate, bitRate int) (*Encoder, error) {
	mpeg1 := slices.Index([]int{44100, 48000, 32000}, sampleRate)
	mpeg2 := slices.Index([]int{22050, 24000, 16000}, sampleRate)
	if mpeg1 < 0 && mpeg2 < 0 {
		return nil, fmt.Errorf("mp3: there is no MP3 of %d Hz", sampleRate)
	}
	known := []int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
	if mpeg1 >= 0 {
		known = []int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	}
	i := slices.Index(known, bitRate/1000)
	if i < 1 || bitRate%1000 != 0 {
		return nil, fmt.Errorf("mp3: there is no MP3 of %d bits a second at %d Hz", bitRate, sampleRate)
	}
	e := &Encoder{
		w: w, rate: sampleRate, bitRate: bitRate, mpeg1: mpeg1 >= 0,
		rateIndex: byte(max(mpeg1, mpeg2)), bitsIndex: byte(i),
		filter: newFilterBank(), transform: newTransform(), quantizer: quantizer{bands: bands[sampleRate]},
	}
	e.samples = make([]float64, 0, e.granules()*granule)
	return e, nil
}

// granules is how many of them make a frame.
func (e *Encoder) granules() int {
	if e.mpeg1 {
		return 2
	}
	return 1
}

// Write takes samples of 16 bits, the lower byte first, in pieces of any length, and
// writes the frames that they fill. Its errors are those of the writer below, which
// last.
func (e *Encoder) Write(pcm []byte) (int, error) {
	n := len(pcm)
	if len(e.odd) > 0 && n > 0 {
		e.add(int16(binary.LittleEndian.Uint16([]byte{e.odd[0], pcm[0]})))
		e.odd, pcm = e.odd[:0], pcm[1:]
	}
	for ; len(pcm) >= 2; pcm = pcm[2:] {
		e.add(int16(binary.LittleEndian.Uint16(pcm)))
	}
	e.odd = append(e.odd, pcm...)
	if e.err != nil {
		return 0, e.err
	}
	return n, nil
}

// Close pads the last frame with silence, and adds as much that a decoder gives back
// all that was written: [Delay] samples, and up to a frame. It does not close the
// writer below.
func (e *Encoder) Close() error {
	if e.err != nil {
		return e.err
	}
	for range Delay {
		e.add(0)
	}
	for len(e.samples) > 0 {
		e.add(0)
	}
	err := e.err
	e.err = errors.Join(err, errClosed)
	return err
}

// add takes a sample, and writes a frame when it is full.
func (e *Encoder) add(v int16) {
	if e.err != nil {
		return
	}
	e.samples = append(e.samples, float64(v)/32768)
	if len(e.samples) == cap(e.samples) {
		e.encode()
		_, e.err = e.w.Write(e.frame.b)
		e.samples = e.samples[:0]
	}
}

// encode makes a frame of the samples.
func (e *Encoder) encode() {
	bytes := cap(e.samples) / 8 * e.bitRate
	size := bytes / e.rate
	e.remainder += bytes % e.rate
	padded := e.remainder >= e.rate
	if padded {
		e.remainder -= e.rate
		size++
	}
	side := 9
	if e.mpeg1 {
		side = 17
	}
	budget := 8 * (size - 4 - side)
	var spectra [2]quantized
	for i := range e.granules() {
		var bandSamples [18][32]float64
		for t := range bandSamples {
			e.filter.analyse(e.samples[i*granule+t*32:][:32], &bandSamples[t])
		}
		lines := e.transform.lines(&bandSamples)
		spectra[i] = e.quantizer.quantize(&lines, budget/(e.granules()-i))
		budget -= spectra[i].bits
	}
	e.frame = bitWriter{b: e.frame.b[:0]}
	e.writeHeader(padded)
	e.writeSide(spectra[:e.granules()])
	for i := range e.granules() {
		spectra[i].write(&e.frame)
	}
	e.frame.pad(size)
}

// writeHeader writes the first four bytes of a frame: no checksum, one channel, an
// original.
func (e *Encoder) writeHeader(padded bool) {
	e.frame.put(0xfff, 12)
	e.frame.flag(e.mpeg1)
	e.frame.put(0b01_1, 3) // layer III, no checksum
	e.frame.put(uint32(e.bitsIndex), 4)
	e.frame.put(uint32(e.rateIndex), 2)
	e.frame.flag(padded)
	e.frame.put(0, 1)
	e.frame.put(0b11_00_01_00, 8) // one channel; no copyright, original; no emphasis
}

// writeSide writes the side information: how each granule was coded.
func (e *Encoder) writeSide(spectra []quantized) {
	f := &e.frame
	if e.mpeg1 {
		f.put(0, 9+5+4) // the data begins here; private bits; nothing shared between granules
	} else {
		f.put(0, 8+1)
	}
	for i := range spectra {
		q := &spectra[i]
		f.put(uint32(q.bits), 12)
		f.put(uint32(q.bigPairs), 9)
		f.put(uint32(q.gain), 8)
		if e.mpeg1 {
			f.put(0, 4) // scale factors of no bits
		} else {
			f.put(0, 9)
		}
		f.put(0, 1) // long blocks
		for _, t := range q.tables {
			f.put(uint32(t.number()), 5)
		}
		f.put(uint32(q.region0), 4)
		f.put(uint32(q.region1), 3)
		if e.mpeg1 {
			f.put(0, 1) // no emphasis of high bands
		}
		f.put(0, 1) // the finer scale factors
		f.flag(q.quadsB)
	}
}
