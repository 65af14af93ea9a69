package recording

import (
	"encoding/binary"
	"math"

	"kalami/providers"
)

// isM4A tells files of the ISO family by their first box.
func isM4A(b []byte) bool { return len(b) >= 8 && string(b[4:8]) == "ftyp" }

// m4aMovie is what a file's boxes say.
type m4aMovie struct {
	scale uint64    // ticks of a second, of the edit lists
	track *m4aTrack // the first of audio; nil before it was found
	found bool      // there was a moov box

	defaults map[uint32]uint64 // by track: how long a sample of a fragment lasts

	media uint64 // bytes of samples in the file

	// The fragments' places in time, in ticks: where the first begins, where the next
	// does, and the same as it was when the last one's samples had come.
	begun              bool
	first, next, whole uint64
}

// played is how many ticks the fragments take whose samples are there.
func (m *m4aMovie) played() uint64 { return m.whole - min(m.whole, m.first) }

// inspectM4A walks the boxes of an MP4 file: the table of samples in moov, or those of
// the fragments behind it, which recorders write that stream. A fragment that is cut
// off at the end is passed over if there was audio before it.
func inspectM4A(b []byte) (Info, error) {
	m := m4aMovie{defaults: map[uint32]uint64{}}
	for rest := b; len(rest) > 0; {
		kind, body, next, whole := readBox(rest, true)
		if !whole {
			if m.played() > 0 {
				break
			}
			return Info{}, broken(providers.M4A, "is cut off")
		}
		if err := m.box(kind, body); err != nil {
			return Info{}, err
		}
		rest = next
	}
	return m.info()
}

// readBox reads the box that b begins with. whole is false when b ends inside it.
// A size of 0 means the rest of the file, where last allows that.
func readBox(b []byte, last bool) (kind string, body, next []byte, whole bool) {
	if len(b) < 8 {
		return "", nil, nil, false
	}
	size, header := uint64(binary.BigEndian.Uint32(b)), uint64(8)
	kind = string(b[4:8])
	switch {
	case size == 1 && len(b) >= 16:
		size, header = binary.BigEndian.Uint64(b[8:]), 16
	case size == 0 && last:
		size = uint64(len(b))
	}
	if size < header || size > uint64(len(b)) {
		return kind, nil, nil, false
	}
	return kind, b[header:size], b[size:], true
}

// eachBox visits the boxes inside another.
func eachBox(b []byte, visit func(kind string, body []byte) error) error {
	for len(b) >= 8 { // some writers end a box with four zeros
		kind, body, next, whole := readBox(b, false)
		if !whole {
			return broken(providers.M4A, "has a damaged header")
		}
		if err := visit(kind, body); err != nil {
			return err
		}
		b = next
	}
	return nil
}

// box takes a box of the file.
func (m *m4aMovie) box(kind string, body []byte) error {
	switch kind {
	case "moov":
		m.found = true
		return eachBox(body, m.movieBox)
	case "moof":
		return eachBox(body, func(kind string, body []byte) error {
			if kind == "traf" {
				return m.fragment(body)
			}
			return nil
		})
	case "mdat":
		m.media += uint64(len(body))
		m.whole = m.next
	}
	return nil
}

// movieBox takes a box of moov.
func (m *m4aMovie) movieBox(kind string, body []byte) error {
	f := fields{b: body}
	switch kind {
	case "mvhd":
		m.scale = uint64(f.afterTimes())
	case "trak":
		t := &m4aTrack{}
		if err := eachBox(body, t.box); err != nil {
			return err
		}
		if m.track == nil && t.audio {
			m.track = t
		}
	case "mvex":
		return eachBox(body, func(kind string, body []byte) error {
			if kind == "trex" {
				f := fields{b: body}
				f.skip(4)
				id := f.u32()
				f.skip(4)
				m.setDefault(id, uint64(f.u32()))
			}
			return nil
		})
	}
	return nil
}

// setDefault keeps a track's default, for as many tracks as a file may have.
func (m *m4aMovie) setDefault(track uint32, ticks uint64) {
	if len(m.defaults) < maxTracks {
		m.defaults[track] = ticks
	}
}

// fragment adds up the samples of a traf box, if it is the chosen track's. Where it
// says when it begins, that counts: browsers do not know how long the last sample of
// each fragment is, and write something.
func (m *m4aMovie) fragment(traf []byte) error {
	var each uint64
	ours := false
	return eachBox(traf, func(kind string, body []byte) error {
		f := fields{b: body}
		flags := f.u32()
		switch kind {
		case "tfhd":
			const baseOffset, description, duration = 0x1, 0x2, 0x8
			id := f.u32()
			ours = m.track != nil && id == m.track.id
			each = m.defaults[id]
			f.skipIf(flags&baseOffset != 0, 8)
			f.skipIf(flags&description != 0, 4)
			if flags&duration != 0 {
				each = uint64(f.u32())
			}
		case "tfdt":
			if ours {
				m.next = f.decodeTime(flags)
				m.begin()
			}
		case "trun":
			if ours {
				m.begin()
				m.next = saturate(m.next, f.run(flags, each))
			}
		}
		if f.short {
			return broken(providers.M4A, "has a damaged fragment")
		}
		return nil
	})
}

// begin notes where the first fragment begins.
func (m *m4aMovie) begin() {
	if !m.begun {
		m.begun, m.first = true, m.next
	}
}

// decodeTime reads the number of a tfdt box, whose version and flags are read.
func (f *fields) decodeTime(flags uint32) uint64 {
	if flags>>24 == 1 {
		return f.u64()
	}
	return uint64(f.u32())
}

// run adds up the samples of a trun box, whose flags are read, in ticks.
func (f *fields) run(flags uint32, each uint64) (ticks uint64) {
	const offset, first, duration, size, sampleFlags, composition = 0x1, 0x4, 0x100, 0x200, 0x400, 0x800
	count := uint64(f.u32())
	f.skipIf(flags&offset != 0, 4)
	f.skipIf(flags&first != 0, 4)
	if flags&duration == 0 {
		return count * min(each, math.MaxUint32)
	}
	for range count {
		ticks += uint64(f.u32())
		f.skipIf(flags&size != 0, 4)
		f.skipIf(flags&sampleFlags != 0, 4)
		f.skipIf(flags&composition != 0, 4)
		if f.short {
			break
		}
	}
	return ticks
}

// info is the outcome of the walk.
func (m *m4aMovie) info() (Info, error) {
	t := m.track
	switch {
	case !m.found:
		return Info{}, broken(providers.M4A, "lacks its table of contents: it was cut off, or not ended")
	case t == nil:
		return Info{}, broken(providers.M4A, "has no audio track")
	case t.codec == "":
		return Info{}, broken(providers.M4A, "holds neither AAC nor Opus nor ALAC")
	case t.scale == 0:
		return Info{}, broken(providers.M4A, "does not say how its time is counted")
	case t.bytes > m.media:
		return Info{}, broken(providers.M4A, "lacks a part of its audio")
	}
	i := Info{Format: providers.M4A, Codec: t.codec, SampleRate: t.rate, Channels: t.channels}
	if i.SampleRate == 0 { // it did not fit into its field
		i.SampleRate = int(t.scale)
	}
	ticks := saturate(t.ticks, m.played())
	ticks -= min(ticks, t.before)
	i.Duration = samples(ticks, int(t.scale))
	if edited := samples(t.edited, int(m.scale)); edited > 0 {
		i.Duration = min(i.Duration, edited)
	}
	return i, nil
}

// saturate adds without running over.
func saturate(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}
