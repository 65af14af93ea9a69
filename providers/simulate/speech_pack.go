package simulate

import (
	"bytes"
	"encoding/binary"

	"kalami/providers/simulate/mp3"
)

// packer turns the next samples of one answer into bytes of its format. What it returns
// is valid until it is called again; last says that no samples follow.
type packer func(pcm []int16, last bool) []byte

// pcmPacker packs 16-bit samples, the lower byte first.
func pcmPacker() packer {
	var buf []byte
	return func(pcm []int16, _ bool) []byte {
		buf = buf[:0]
		for _, v := range pcm {
			buf = binary.LittleEndian.AppendUint16(buf, uint16(v))
		}
		return buf
	}
}

// mulawPacker packs G.711 µ-law.
func mulawPacker() packer {
	var buf []byte
	return func(pcm []int16, _ bool) []byte {
		buf = buf[:0]
		for _, v := range pcm {
			buf = append(buf, linearToMulaw(v))
		}
		return buf
	}
}

// mp3Packer packs MP3, as many frames as are full. The rate, in hertz, and the bit rate,
// in bits a second, must be ones that MP3 has together.
func mp3Packer(rate, bitRate int) packer {
	var out bytes.Buffer
	encoder, err := mp3.NewEncoder(&out, rate, bitRate)
	if err != nil {
		panic("simulate: " + err.Error()) // a format of our own list
	}
	samples := pcmPacker()
	return func(pcm []int16, last bool) []byte {
		out.Reset()
		// A buffer takes everything.
		_, _ = encoder.Write(samples(pcm, last))
		if last {
			_ = encoder.Close()
		}
		return out.Bytes()
	}
}
