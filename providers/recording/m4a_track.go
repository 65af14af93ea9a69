package recording

import (
	"encoding/binary"

	"kalami/providers"
)

// m4aTrack is what a trak box says.
type m4aTrack struct {
	id       uint32
	audio    bool
	codec    string // "" for one that is not read
	rate     int
	channels int
	scale    uint64 // ticks of a second
	ticks    uint64 // of all samples in its table
	bytes    uint64 // of the same
	before   uint64 // ticks at its beginning that are not played
	edited   uint64 // what its edit list plays, in the movie's ticks; 0 for all

	depth int // of the box that is being read, in trak
}

// box takes a box at any depth of trak.
func (t *m4aTrack) box(kind string, body []byte) error {
	f := fields{b: body}
	switch kind {
	case "mdia", "minf", "stbl", "edts":
		const deepest = 3 // stbl, in minf, in mdia
		if t.depth == deepest {
			return broken(providers.M4A, "has a damaged header")
		}
		t.depth++
		defer func() { t.depth-- }()
		return eachBox(body, t.box)
	case "tkhd":
		t.id = f.afterTimes()
	case "mdhd":
		t.scale = uint64(f.afterTimes())
	case "hdlr":
		f.skip(8)
		t.audio = string(f.take(4)) == "soun"
	case "stsd":
		return t.description(body)
	case "stts":
		f.skip(4)
		for range f.u32() {
			count, ticks := uint64(f.u32()), uint64(f.u32())
			if f.short {
				return broken(providers.M4A, "has a damaged table of times")
			}
			t.ticks = saturate(t.ticks, count*ticks)
		}
	case "stsz":
		f.skip(4)
		size, count := uint64(f.u32()), f.u32()
		if size > 0 {
			t.bytes = size * uint64(count)
			break
		}
		for range count {
			t.bytes += uint64(f.u32())
			if f.short {
				return broken(providers.M4A, "has a damaged table of sizes")
			}
		}
	case "elst":
		t.edits(f)
	}
	return nil
}

// edits reads an edit list. The encoder's run-in is what its first part leaves out.
func (t *m4aTrack) edits(f fields) {
	long := f.u32()>>24 == 1
	started := false
	for range f.u32() {
		var ticks uint64
		var from int64
		if long {
			ticks, from = f.u64(), int64(f.u64())
		} else {
			ticks, from = uint64(f.u32()), int64(int32(f.u32()))
		}
		f.skip(4) // the speed
		if f.short {
			return
		}
		if from < 0 {
			continue // a pause
		}
		if !started {
			t.before, started = uint64(from), true
		}
		t.edited = saturate(t.edited, ticks)
	}
}

// description reads a stsd box: what the samples are.
func (t *m4aTrack) description(stsd []byte) error {
	if len(stsd) < 8 {
		return broken(providers.M4A, "has a damaged header")
	}
	kind, entry, _, whole := readBox(stsd[8:], false)
	const plain = 28 // bytes of a sound's description before the boxes in it
	if !whole || len(entry) < plain {
		return nil // not of audio, or of none
	}
	t.channels = int(binary.BigEndian.Uint16(entry[16:]))
	t.rate = int(binary.BigEndian.Uint16(entry[24:]))
	switch kind {
	case "Opus":
		t.codec, t.rate = "opus", opusRate
	case "alac":
		t.codec = "alac"
	case "mp4a":
		t.codec = "aac"
		if version := binary.BigEndian.Uint16(entry[8:]); version != 0 {
			return nil // QuickTime's, in which the boxes begin later
		}
		return eachBox(entry[plain:], func(kind string, body []byte) error {
			if kind == "esds" && len(body) > 4 {
				t.stream(body[4:])
			}
			return nil
		})
	}
	return nil
}

// stream reads an elementary stream's descriptor: which codec it is, and how many
// channels it has, of which the description around it often says two.
func (t *m4aTrack) stream(b []byte) {
	const stream, config, specific = 3, 4, 5
	f := fields{b: b}
	if f.descriptor() == stream {
		f.skip(2)
		flags := f.u8()
		f.skipIf(flags&0x80 != 0, 2)
		if flags&0x40 != 0 {
			f.skip(int(f.u8()))
		}
		f.skipIf(flags&0x20 != 0, 2)
	}
	t.codec = ""
	if f.descriptor() != config {
		return
	}
	switch f.u8() {
	case 0x40, 0x66, 0x67, 0x68:
		t.codec = "aac"
	case 0x69, 0x6b:
		t.codec = "mp3"
	}
	f.skip(12)
	if f.descriptor() != specific || t.codec != "aac" {
		return
	}
	// 5 bits of profile, 4 of the rate's index, 4 of channels.
	const escaped = 15 // instead of an index: the rate itself
	bits := uint16(f.u8())<<8 | uint16(f.u8())
	if index, channels := bits>>7&15, int(bits>>3&15); index != escaped && channels > 0 {
		t.channels = channels
	}
}

// fields reads numbers one after the other. Behind the end they are 0 and short is set.
type fields struct {
	b     []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if n > len(f.b) {
		f.b, f.short = nil, true
		return make([]byte, min(n, 8)) // no more than one number's
	}
	v := f.b[:n]
	f.b = f.b[n:]
	return v
}

func (f *fields) skip(n int) { f.take(n) }

func (f *fields) skipIf(yes bool, n int) {
	if yes {
		f.take(n)
	}
}

func (f *fields) u8() byte    { return f.take(1)[0] }
func (f *fields) u32() uint32 { return binary.BigEndian.Uint32(f.take(4)) }
func (f *fields) u64() uint64 { return binary.BigEndian.Uint64(f.take(8)) }

// descriptor reads the tag of a descriptor, and passes over its size.
func (f *fields) descriptor() byte {
	tag := f.u8()
	for range 4 {
		if f.u8()&0x80 == 0 {
			break
		}
	}
	return tag
}

// afterTimes reads the number behind the two times that an mvhd, mdhd or tkhd box
// begins with: the ticks of a second, or the track's number.
func (f *fields) afterTimes() uint32 {
	if f.u32()>>24 == 1 {
		f.skip(16)
	} else {
		f.skip(8)
	}
	return f.u32()
}
