package recording

import (
	"encoding/binary"
	"math"
)

// Samples decodes the first channel of a WAV recording to 16 bits. The rate is in
// [Info]. Errors are those of [Inspect]; a recording in any other format is
// [ErrUnknown] here.
func Samples(audio []byte) ([]int16, error) {
	if !isWAV(audio) {
		return nil, ErrUnknown
	}
	info, body, block, err := openWAV(audio)
	if err != nil {
		return nil, err
	}
	width := block / info.Channels
	pcm := make([]int16, 0, len(body)/block)
	for ; len(body) >= block; body = body[block:] {
		pcm = append(pcm, sample(info.Codec, body[:width]))
	}
	return pcm, nil
}

// sample decodes one sample, of a codec and a width that openWAV accepts.
func sample(codec string, b []byte) int16 {
	le := binary.LittleEndian
	switch {
	case codec == "alaw":
		return alaw(b[0])
	case codec == "mulaw":
		return mulaw(b[0])
	case codec == "float" && len(b) == 4:
		return fromFloat(float64(math.Float32frombits(le.Uint32(b))))
	case codec == "float":
		return fromFloat(math.Float64frombits(le.Uint64(b)))
	case len(b) == 1: // the only ones without a sign
		return int16(int(b[0])-128) << 8
	}
	return int16(le.Uint16(b[len(b)-2:])) // the two highest bytes
}

// fromFloat limits to full scale; what is no number is silence.
func fromFloat(v float64) int16 {
	if math.IsNaN(v) {
		return 0
	}
	return int16(max(-32768, min(32767, math.Round(v*32768))))
}

// alaw and mulaw expand the telephone's logarithmic samples (ITU-T G.711).

func alaw(c byte) int16 {
	c ^= 0x55
	s := int16(c&15)<<4 + 8
	if exponent := c >> 4 & 7; exponent > 0 {
		s = (s + 0x100) << (exponent - 1)
	}
	if c&0x80 == 0 {
		return -s
	}
	return s
}

func mulaw(c byte) int16 {
	c = ^c
	const bias = 0x84
	s := (int16(c&15)<<3+bias)<<(c>>4&7) - bias
	if c&0x80 != 0 {
		return -s
	}
	return s
}
