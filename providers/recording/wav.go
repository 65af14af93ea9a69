package recording

import (
	"bytes"
	"encoding/binary"
	"slices"

	"kalami/providers"
)

// isWAV tells RIFF files of the kind WAVE, also when cut off inside their first bytes.
func isWAV(b []byte) bool {
	return bytes.HasPrefix(b, []byte("RIFF")) && (len(b) < 12 || string(b[8:12]) == "WAVE")
}

// inspectWAV tells what a RIFF file is.
func inspectWAV(b []byte) (Info, error) {
	info, body, block, err := openWAV(b)
	if err != nil {
		return info, err
	}
	info.Duration = samples(uint64(len(body)/block), info.SampleRate)
	return info, nil
}

// openWAV reads a RIFF file's chunks up to its samples, of which all channels together
// take block bytes at a time. Sizes after which the file ends are taken for what a
// recorder that was cut off leaves behind, or one that streams and cannot know them:
// the samples then go to the end.
func openWAV(b []byte) (info Info, body []byte, block int, err error) {
	info.Format = providers.WAV
	if len(b) < 12 {
		return info, nil, 0, broken(providers.WAV, "ends inside its header")
	}
	whole := uint64(binary.LittleEndian.Uint32(b[4:]))+8 == uint64(len(b))
	for rest := b[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), uint64(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		short := size > uint64(len(body))
		switch {
		case name == "data" && block == 0:
			return info, nil, 0, broken(providers.WAV, "has its samples before their format")
		case name == "data":
			if !short && (size > 0 || whole) {
				body = body[:size]
			}
			return info, body, block, nil
		case short:
			return info, nil, 0, broken(providers.WAV, "ends before its samples")
		case name == "fmt ":
			if block, err = info.readFmt(body[:size]); err != nil {
				return info, nil, 0, err
			}
		}
		rest = body[min(size+size%2, uint64(len(body))):] // chunks begin at even places
	}
	return info, nil, 0, broken(providers.WAV, "has no samples")
}

// Codes of WAV's encodings.
const (
	wavPCM        = 0x0001
	wavFloat      = 0x0003
	wavALaw       = 0x0006
	wavMuLaw      = 0x0007
	wavExtensible = 0xfffe
)

// readFmt reads a format chunk and returns the bytes of one sample of all channels.
func (i *Info) readFmt(c []byte) (block int, err error) {
	if len(c) < 16 {
		return 0, broken(providers.WAV, "ends inside its format")
	}
	le := binary.LittleEndian
	code, bits := le.Uint16(c), int(le.Uint16(c[14:]))
	i.Channels, i.SampleRate, block = int(le.Uint16(c[2:])), int(le.Uint32(c[4:])), int(le.Uint16(c[12:]))
	if code == wavExtensible {
		// The real code begins a GUID, of which the rest is the same for all.
		const guid = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
		if len(c) < 40 || !bytes.Equal(c[26:40], []byte(guid)) {
			return 0, broken(providers.WAV, "has an extended format that is not known")
		}
		code = le.Uint16(c[24:])
	}
	var widths []int
	switch code {
	case wavPCM:
		i.Codec, widths = "pcm", []int{8, 16, 24, 32}
	case wavFloat:
		i.Codec, widths = "float", []int{32, 64}
	case wavALaw:
		i.Codec, widths = "alaw", []int{8}
	case wavMuLaw:
		i.Codec, widths = "mulaw", []int{8}
	default:
		return 0, broken(providers.WAV, "holds compressed audio (code %d), not PCM", code)
	}
	switch {
	case !slices.Contains(widths, bits):
		return 0, broken(providers.WAV, "claims samples of %d bits", bits)
	case i.Channels == 0 || block != i.Channels*bits/8:
		return 0, broken(providers.WAV, "contradicts itself: %d channels of %d bits do not take %d bytes", i.Channels, bits, block)
	}
	return block, check(Info{Format: i.Format, SampleRate: i.SampleRate, Channels: i.Channels, Duration: 1})
}
