package recording

import (
	"bytes"
	"encoding/binary"

	"kalami/providers"
)

// mp3Header is what the four bytes before every frame say.
type mp3Header struct {
	mpeg1          bool
	rate, channels int
	samples, size  int // of the frame: samples of each channel, bytes with the header
}

// readMP3Header reads a frame's header. ok is false for what is none, and for the
// frames of a free bit rate, which state no size.
func readMP3Header(b []byte) (h mp3Header, ok bool) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return h, false
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	rate, bitRate, padding := int(b[2]>>2&3), int(b[2]>>4), int(b[2]>>1&1)
	const (
		mpeg25, reserved, mpeg1 = 0, 1, 3
		layerIII                = 1
		noEmphasis              = 2 // a value that means nothing
	)
	if version == reserved || layer != layerIII || rate == 3 || bitRate == 0 || bitRate == 15 || b[3]&3 == noEmphasis {
		return h, false
	}
	h.mpeg1, h.samples, h.channels = version == mpeg1, 576, 2
	h.rate = []int{44100, 48000, 32000}[rate]
	kbits := [...]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}[bitRate]
	switch version {
	case mpeg1:
		h.samples = 1152
		kbits = [...]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}[bitRate]
	case mpeg25:
		h.rate /= 4
	default:
		h.rate /= 2
	}
	if b[3]>>6 == 3 {
		h.channels = 1
	}
	h.size = h.samples/8*kbits*1000/h.rate + padding
	return h, true
}

// sameStream says whether two frames can be of one stream.
func (h mp3Header) sameStream(o mp3Header) bool { return h.mpeg1 == o.mpeg1 && h.rate == o.rate }

// mp3Walk is a walk along a file's frames.
type mp3Walk struct {
	b       []byte
	first   mp3Header
	frames  int // of audio
	heard   int // bytes in frames
	skipped int // bytes between them
	trim    int // samples at both ends that an encoder added
}

// inspectMP3 walks the frames of MPEG 1, 2 or 2.5 Layer III. Bytes that belong to no
// frame are passed over, as players do: a torn frame at either end, tags behind the
// audio. They may be 4 KiB and an eighth of the file; what has more is no MP3.
func inspectMP3(b []byte) (Info, error) {
	w := mp3Walk{b: b}
	at, err := skipID3(b)
	if err != nil {
		return Info{}, err
	}
	w.walk(at)
	if w.heard == 0 || w.skipped > 4<<10+len(b)/8 {
		if at == 0 {
			return Info{}, ErrUnknown
		}
		return Info{}, broken(providers.MP3, "has no MP3 frames behind its ID3 tag")
	}
	n := w.frames * w.first.samples
	return Info{
		Format: providers.MP3, Codec: "mp3", SampleRate: w.first.rate, Channels: w.first.channels,
		Duration: samples(uint64(max(0, n-w.trim)), w.first.rate),
	}, nil
}

// skipID3 returns where the ID3v2 tags at the beginning end.
func skipID3(b []byte) (at int, err error) {
	for bytes.HasPrefix(b[at:], []byte("ID3")) {
		const header = 10
		tag := b[at:]
		if len(tag) < header {
			return 0, broken(providers.MP3, "ends inside its ID3 tag")
		}
		size := header + int(tag[6]&127)<<21 + int(tag[7]&127)<<14 + int(tag[8]&127)<<7 + int(tag[9]&127)
		if tag[3] == 4 && tag[5]&0x10 != 0 {
			size += header // a footer
		}
		if size > len(tag) {
			return 0, broken(providers.MP3, "ends inside its ID3 tag")
		}
		at += size
	}
	return at, nil
}

// walk goes along the frames from at.
func (w *mp3Walk) walk(at int) {
	inSync := false
	for at < len(w.b) {
		h, ok := readMP3Header(w.b[at:])
		ok = ok && (w.heard == 0 || h.sameStream(w.first)) && at+h.size <= len(w.b)
		if ok && !inSync { // two in a row, or one at the very end: noise looks like one header often
			next, another := readMP3Header(w.b[at+h.size:])
			ok = at+h.size == len(w.b) || another && next.sameStream(h)
		}
		inSync = ok
		if ok {
			w.add(h, w.b[at:at+h.size])
			at += h.size
			continue
		}
		step := bytes.IndexByte(w.b[at+1:], 0xff) + 1
		if step == 0 {
			step = len(w.b) - at
		}
		w.skipped += step
		at += step
	}
}

// add counts a frame.
func (w *mp3Walk) add(h mp3Header, frame []byte) {
	first := w.heard == 0
	w.heard += len(frame)
	if first {
		w.first = h
		if w.isIndex(frame) {
			return
		}
	}
	w.frames++
}

// isIndex tells the frame that encoders put before the audio to describe it, which
// plays as silence and is not counted. LAME and its like also say there how many
// samples they added to the beginning and the end.
func (w *mp3Walk) isIndex(frame []byte) bool {
	side := 17 // bytes of side information, which are zeros
	switch {
	case w.first.mpeg1 && w.first.channels == 2:
		side = 32
	case !w.first.mpeg1 && w.first.channels == 1:
		side = 9
	}
	const vbri = 4 + 32
	if len(frame) >= vbri+4 && string(frame[vbri:vbri+4]) == "VBRI" {
		return true
	}
	tag := frame[min(len(frame), 4+side):]
	if len(tag) < 8 || string(tag[:4]) != "Xing" && string(tag[:4]) != "Info" {
		return false
	}
	at := 8
	for bit, size := range []int{4, 4, 100, 4} { // frames, bytes, table, quality
		if binary.BigEndian.Uint32(tag[4:])>>bit&1 == 1 {
			at += size
		}
	}
	const delays = 21
	if lame := tag[min(at, len(tag)):]; len(lame) >= delays+3 && lame[0] == 'L' { // LAME, Lavc, Lavf
		d := lame[delays:]
		w.trim = int(d[0])<<4 + int(d[1]>>4) + int(d[1]&15)<<8 + int(d[2])
	}
	return true
}
