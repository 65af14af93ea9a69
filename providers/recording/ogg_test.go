package recording

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"
)

// page makes a page of whole packets.
func page(flags byte, granule int64, serial, number uint32, packets ...string) []byte {
	le := binary.LittleEndian
	b := append([]byte(oggMagic), 0, flags)
	b = le.AppendUint64(b, uint64(granule))
	b = le.AppendUint32(b, serial)
	b = le.AppendUint32(b, number)
	b = append(b, 0, 0, 0, 0, 0)
	for _, p := range packets {
		for n := len(p); ; n -= 255 {
			b = append(b, byte(min(n, 255)))
			b[26]++
			if n < 255 {
				break
			}
		}
	}
	for _, p := range packets {
		b = append(b, p...)
	}
	crc := oggCRC()
	le.PutUint32(b[22:], checksum(b, &crc))
	return b
}

const (
	opusHead   = "OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00" // pre-skip 312
	opusTags   = "OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"
	opusPacket = "\x08packet" // 20 ms
)

// opusStream is a stream of one page of two packets whose last sample is granule.
func opusStream(serial uint32, granule int64) []byte {
	return slices.Concat(page(oggFirst, 0, serial, 0, opusHead), page(0, 0, serial, 1, opusTags),
		page(4, granule, serial, 2, opusPacket, opusPacket))
}

func TestOgg(t *testing.T) {
	const preSkip = 312
	part := func(n int64) time.Duration { return samples(uint64(n-preSkip), opusRate) }
	skeleton := page(oggFirst, 0, 9, 0, "fishead\x00"+string(make([]byte, 56)))
	for _, tt := range []struct {
		name  string
		audio []byte
		want  time.Duration
	}{
		{"two packets", opusStream(1, 1920), part(1920)},
		{"trimmed at the end", opusStream(1, 1500), part(1500)},
		{"joined late", opusStream(1, 1<<40), part(1920)},
		{"beside another kind", slices.Concat(skeleton, opusStream(1, 1920), page(4, 0, 9, 1, "")), part(1920)},
		{"one after the other", slices.Concat(opusStream(1, 1920), opusStream(2, 1920)), 2 * part(1920)},
		{"cut off behind audio", slices.Concat(opusStream(1, 1920), []byte("Ogg")), part(1920)},
	} {
		t.Run(tt.name, func(t *testing.T) { lasts(t, tt.audio, tt.want) })
	}
}

func TestBrokenOgg(t *testing.T) {
	damaged := fixture(t, "speech.ogg")
	damaged[len(damaged)/2] ^= 0x10
	head := page(oggFirst, 0, 1, 0, opusHead)
	for _, tt := range []struct {
		name   string
		audio  []byte
		reason string
	}{
		{"a bit turned", damaged, "has a damaged page"},
		{"another version", append([]byte("OggS\x01"), opusStream(1, 1920)[5:]...), "has a damaged page"},
		{"FLAC in Ogg", page(oggFirst, 0, 1, 0, "\x7fFLAC\x01\x00"), "holds neither Opus nor Vorbis"},
		{"no head", page(0, 960, 1, 3, opusPacket), "has no beginning"},
		{"head alone", head, "holds no audio"},
		{"no tags", slices.Concat(head, page(0, 960, 1, 1, opusPacket)), "lacks its codec's headers"},
		{"no packets", slices.Concat(head, page(0, 960, 1, 1, opusTags)), "holds no audio"},
		{"a page missing", slices.Concat(head, page(oggContinued, 0, 1, 1, opusTags)), "lacks a page"},
		{"something between pages", slices.Concat(head, []byte("something"), head), "has a gap between its pages"},
		{"cut off", head[:30], "ends inside a page"},
		{"the second header of Vorbis", slices.Concat(page(oggFirst, 0, 1, 0, "\x01vorbis\x00\x00\x00\x00\x01\x80\xbb\x00\x00"+string(make([]byte, 14))),
			page(0, 0, 1, 1, "\x05vorbis ")), "lacks its codec's headers"},
	} {
		t.Run(tt.name, func(t *testing.T) { broke(t, tt.audio, tt.reason) })
	}
}

// A packet may be longer than a page.
func TestOggContinued(t *testing.T) {
	long := string(bytes.Repeat([]byte{8}, 255))
	first := page(0, -1, 1, 2, long)
	// The page says that the packet goes on: take away the piece that ends it.
	first = slices.Delete(first, 28, 29)
	first[26] = 1
	crc := oggCRC()
	binary.LittleEndian.PutUint32(first[22:], checksum(first, &crc))
	lasts(t, slices.Concat(page(oggFirst, 0, 1, 0, opusHead), page(0, 0, 1, 1, opusTags), first,
		page(oggContinued, 1920, 1, 3, "rest", opusPacket)), samples(1920-312, opusRate))
}

func TestOpusSamples(t *testing.T) {
	for _, tt := range []struct {
		packet string
		want   uint64
	}{
		{"", 0},
		{"\x00", 480},          // SILK, 10 ms
		{"\x19", 2 * 2880},     // SILK, two of 60 ms
		{"\x60", 480},          // hybrid, 10 ms
		{"\x80", 120},          // CELT, 2.5 ms
		{"\xfa", 2 * 960},      // CELT, two of 20 ms
		{"\xfb\x06", 6 * 960},  // six of 20 ms
		{"\xfb\x86", 6 * 960},  // the same, of different sizes
		{"\xfb\x07", 0},        // more than 120 ms
		{"\xfb", 0},            // no count
		{"\x83\x30", 48 * 120}, // 48 of 2.5 ms
	} {
		if got := opusSamples([]byte(tt.packet)); got != tt.want {
			t.Errorf("%q: %d, want %d", tt.packet, got, tt.want)
		}
	}
}

// The checksum in the fuzzer's pages would hardly ever be right, so it is put right.
func FuzzOgg(f *testing.F) {
	f.Add(opusStream(1, 1920))
	f.Add(fixture(f, "speech.ogg")[:1200])
	f.Fuzz(func(t *testing.T, audio []byte) {
		crc := oggCRC()
		audio = bytes.Clone(audio)
		for rest := audio; len(rest) >= 27; {
			_, size, _ := readPage(rest, &crc)
			if size == 0 || size > len(rest) {
				break
			}
			binary.LittleEndian.PutUint32(rest[22:], checksum(rest[:size], &crc))
			rest = rest[size:]
		}
		checkInspect(t, audio, inspectOgg)
	})
}
