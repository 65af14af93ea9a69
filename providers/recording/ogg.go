package recording

import (
	"bytes"
	"encoding/binary"
	"time"

	"kalami/providers"
)

const oggMagic = "OggS"

func isOgg(b []byte) bool { return bytes.HasPrefix(b, []byte(oggMagic)) }

// Flags of a page.
const (
	oggContinued = 1 // its first packet began on an earlier page
	oggFirst     = 2 // of its stream
)

// oggPage is one page; its slices are parts of the file.
type oggPage struct {
	flags   byte
	granule int64 // samples up to its last whole packet, -1 if none ends here
	serial  uint32
	lacing  []byte // lengths of packets, in pieces of at most 255
	body    []byte
}

// inspectOgg walks the pages of Opus or Vorbis. Streams of other kinds beside it are
// passed over; streams one after the other, as radios send them, are added up. A last
// page that is cut off is passed over if there was audio before it.
func inspectOgg(b []byte) (Info, error) {
	info := Info{Format: providers.Ogg}
	var stream *oggStream
	foreign := false
	crc := oggCRC()
	for rest := b; len(rest) > 0; {
		page, size, err := readPage(rest, &crc)
		if err != nil {
			if size > len(rest) && stream != nil && stream.packets > 0 {
				break
			}
			return info, err
		}
		rest = rest[size:]
		if page.flags&oggFirst != 0 {
			next := newOggStream(page)
			if next == nil {
				foreign = true
				continue
			}
			if stream == nil {
				info.Codec, info.SampleRate, info.Channels = next.codec, next.rate, next.channels
			} else {
				info.Duration += stream.duration()
			}
			stream = next
			continue
		}
		if stream != nil && page.serial == stream.serial {
			if err := stream.read(page); err != nil {
				return info, err
			}
		}
	}
	switch {
	case stream == nil && foreign:
		return info, broken(providers.Ogg, "holds neither Opus nor Vorbis")
	case stream == nil:
		return info, broken(providers.Ogg, "has no beginning")
	}
	info.Duration += stream.duration()
	return info, nil
}

// readPage reads the page that b begins with. size is what the page takes; where it is
// more than there is, the page is cut off.
func readPage(b []byte, crc *[256]uint32) (p oggPage, size int, err error) {
	const header = 27
	if !bytes.HasPrefix(b, []byte(oggMagic[:min(len(b), len(oggMagic))])) {
		return p, 0, broken(providers.Ogg, "has a gap between its pages")
	}
	size = header
	if len(b) >= header {
		size += int(b[26])
	}
	if len(b) >= size && len(b) >= header {
		p.lacing = b[header:size]
		for _, n := range p.lacing {
			size += int(n)
		}
	}
	if len(b) < size {
		return p, size, broken(providers.Ogg, "ends inside a page")
	}
	p.body = b[header+len(p.lacing) : size]
	p.flags = b[5]
	p.granule = int64(binary.LittleEndian.Uint64(b[6:]))
	p.serial = binary.LittleEndian.Uint32(b[14:])
	if b[4] != 0 || binary.LittleEndian.Uint32(b[22:]) != checksum(b[:size], crc) {
		return p, size, broken(providers.Ogg, "has a damaged page")
	}
	return p, size, nil
}

// oggCRC is the table of Ogg's checksum, which counts from the highest bit and so is
// not in hash/crc32.
func oggCRC() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	return table
}

// checksum is a page's, with zeros in its own place.
func checksum(page []byte, table *[256]uint32) (sum uint32) {
	const at, end = 22, 26
	for i, v := range page {
		if i >= at && i < end {
			v = 0
		}
		sum = sum<<8 ^ table[byte(sum>>24)^v]
	}
	return sum
}

// oggStream is a logical stream of Opus or Vorbis.
type oggStream struct {
	serial         uint32
	codec          string
	rate, channels int
	preSkip        uint64 // samples of Opus that are not played

	headers int    // packets that are still to come before the audio
	packets int    // of audio
	played  uint64 // what the packets of Opus say they last, in samples
	granule uint64 // the last one
	open    bool   // a packet goes on on the next page
}

// newOggStream reads the head of a stream; nil for one of another kind.
func newOggStream(p oggPage) *oggStream {
	s := &oggStream{serial: p.serial}
	switch h := p.body; {
	case len(h) >= 19 && bytes.HasPrefix(h, []byte("OpusHead")):
		s.codec, s.rate, s.channels, s.headers = "opus", opusRate, int(h[9]), 1
		s.preSkip = uint64(binary.LittleEndian.Uint16(h[10:]))
	case len(h) >= 30 && bytes.HasPrefix(h, []byte("\x01vorbis")):
		s.codec, s.channels, s.headers = "vorbis", int(h[11]), 2
		s.rate = int(binary.LittleEndian.Uint32(h[12:]))
	default:
		return nil
	}
	return s
}

// read takes a later page of the stream.
func (s *oggStream) read(p oggPage) error {
	if s.open != (p.flags&oggContinued != 0) {
		return broken(providers.Ogg, "lacks a page")
	}
	body := p.body
	for lacing := p.lacing; len(lacing) > 0; {
		pieces, size := 0, 0
		whole := false
		for pieces < len(lacing) && !whole {
			size += int(lacing[pieces])
			whole = lacing[pieces] < 255
			pieces++
		}
		if !s.open {
			if err := s.begin(body[:size]); err != nil {
				return err
			}
		}
		s.open = !whole
		body, lacing = body[size:], lacing[pieces:]
	}
	if p.granule > 0 && s.headers == 0 {
		s.granule = uint64(p.granule)
	}
	return nil
}

// begin takes a packet, or as much of it as its first page holds.
func (s *oggStream) begin(packet []byte) error {
	if s.headers > 0 {
		ok := s.codec == "opus" && bytes.HasPrefix(packet, []byte("OpusTags")) ||
			s.codec == "vorbis" && len(packet) > 7 && packet[0] == byte(7-2*s.headers) && string(packet[1:7]) == "vorbis"
		if !ok {
			return broken(providers.Ogg, "lacks its codec's headers")
		}
		s.headers--
		return nil
	}
	s.packets++
	s.played += opusSamples(packet)
	return nil
}

// duration is what the stream says it lasts. A stream that was joined late counts from
// somewhere, so Opus is believed no more than its packets hold.
func (s *oggStream) duration() time.Duration {
	n := s.granule
	if s.codec == "opus" {
		n = min(n, s.played)
	}
	if s.packets == 0 {
		n = 0
	}
	return samples(n-min(n, s.preSkip), s.rate)
}
