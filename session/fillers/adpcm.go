package fillers

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// adpcm is the format tag of IMA ADPCM in a WAV file.
const adpcm = 0x11

// maxSamples bounds what is decoded from one file: a minute at 16 kHz.
const maxSamples = 60 * 16000

// errNotClip is the cause of every failure to decode.
var errNotClip = errors.New("fillers: not a WAV file of mono IMA ADPCM")

// stepSizes and indexSteps are the tables of the IMA's recommendation.
var (
	stepSizes = [...]int{7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73,
		80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658,
		724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026,
		4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350,
		22385, 24623, 27086, 29794, 32767}
	indexSteps = [...]int{-1, -1, -1, -1, 2, 4, 6, 8}
)

// decode reads a WAV file of mono IMA ADPCM: its samples and their rate in hertz.
func decode(wav []byte) (samples []int16, rate int, err error) {
	if len(wav) < 12 || string(wav[:4]) != "RIFF" || string(wav[8:12]) != "WAVE" {
		return nil, 0, errNotClip
	}
	block, whole := 0, maxSamples
	for rest := wav[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:8]))
		if rest = rest[8:]; size > len(rest) {
			return nil, 0, fmt.Errorf("%w: %q is cut off", errNotClip, name)
		}
		body := rest[:size]
		switch {
		case name == "fmt " && size >= 16:
			rate, block = int(binary.LittleEndian.Uint32(body[4:8])), int(binary.LittleEndian.Uint16(body[12:14]))
			if binary.LittleEndian.Uint16(body) != adpcm || binary.LittleEndian.Uint16(body[2:4]) != 1 {
				return nil, 0, errNotClip
			}
		case name == "fact" && size >= 4: // how many samples there are without the last block's padding
			whole = int(min(binary.LittleEndian.Uint32(body), maxSamples))
		case name == "data":
			if block <= 4 || rate < 1000 || rate > 192000 {
				return nil, 0, fmt.Errorf("%w: no usable format before the data", errNotClip)
			}
			for len(body) >= 4 && len(samples) < whole {
				n := min(block, len(body))
				samples = unblock(samples, body[:n])
				body = body[n:]
			}
			return samples[:min(len(samples), whole)], rate, nil
		}
		rest = rest[min(size+size%2, len(rest)):] // chunks begin at even places
	}
	return nil, 0, fmt.Errorf("%w: there is no data", errNotClip)
}

// unblock appends the samples of one block, of four bytes or more: the first sample and
// the index stand in its head, two samples in each byte after it, the lower four bits first.
func unblock(samples []int16, block []byte) []int16 {
	value, index := int(int16(binary.LittleEndian.Uint16(block))), min(int(block[2]), len(stepSizes)-1)
	samples = append(samples, int16(value))
	for _, b := range block[4:] {
		for _, code := range [...]byte{b & 15, b >> 4} {
			step := stepSizes[index]
			change := step >> 3
			for bit := range 3 {
				if code&(4>>bit) != 0 {
					change += step >> bit
				}
			}
			if code&8 != 0 {
				change = -change
			}
			value = max(-1<<15, min(value+change, 1<<15-1))
			index = max(0, min(index+indexSteps[code&7], len(stepSizes)-1))
			samples = append(samples, int16(value))
		}
	}
	return samples
}

// resample brings samples from one rate to another on straight lines between them, which
// is good enough for a clip of narrow speech.
func resample(samples []int16, from, to int) []int16 {
	if from == to || len(samples) == 0 {
		return samples
	}
	out := make([]int16, int(int64(len(samples))*int64(to)/int64(from)))
	for i := range out {
		at := int64(i) * int64(from)
		k, part := int(at/int64(to)), at%int64(to)
		here, next := int64(samples[k]), int64(samples[min(k+1, len(samples)-1)])
		out[i] = int16(here + (next-here)*part/int64(to))
	}
	return out
}

// pack writes samples as bytes.
func pack(samples []int16) []byte {
	out := make([]byte, 0, 2*len(samples))
	for _, s := range samples {
		out = binary.LittleEndian.AppendUint16(out, uint16(s))
	}
	return out
}
