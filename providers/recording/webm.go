package recording

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"kalami/providers"
)

const ebmlMagic = "\x1a\x45\xdf\xa3"

func isWebM(b []byte) bool { return bytes.HasPrefix(b, []byte(ebmlMagic)) }

// Elements of EBML and Matroska that are looked at (RFC 8794, RFC 9559).
const (
	idEBML            = 0x1a45dfa3
	idDocType         = 0x4282
	idSegment         = 0x18538067
	idInfo            = 0x1549a966
	idTimestampScale  = 0x2ad7b1
	idDuration        = 0x4489
	idTracks          = 0x1654ae6b
	idTrackEntry      = 0xae
	idTrackNumber     = 0xd7
	idTrackType       = 0x83
	idCodecID         = 0x86
	idCodecDelay      = 0x56aa
	idAudio           = 0xe1
	idSampleRate      = 0xb5
	idChannels        = 0x9f
	idEncodings       = 0x6d80
	idCluster         = 0x1f43b675
	idClusterTime     = 0xe7
	idSimpleBlock     = 0xa3
	idBlockGroup      = 0xa0
	idBlock           = 0xa1
	idDiscardPadding  = 0x75a2
	matroskaAudio     = 2
	defaultScale      = 1_000_000 // nanoseconds of a tick
	defaultSampleRate = 8000
)

// webmTrack is an entry of a file's track table.
type webmTrack struct {
	number, kind uint64
	codec        string
	delay        uint64 // nanoseconds at its beginning that are not played
	rate         float64
	channels     uint64
	encoded      bool // compressed or encrypted once more
}

// webmWalk is a walk along a file's elements.
//
// It is flat: an element with others inside is entered by reading on behind its
// header, so that it does not matter where it ends, or whether it says so. Recorders
// in browsers do not know the sizes of segments and clusters when they write them.
type webmWalk struct {
	docType string
	tracks  []webmTrack
	chosen  *webmTrack // the first of audio; nil until the clusters begin

	scale    uint64  // nanoseconds of a tick
	duration float64 // as the file claims, in ticks; 0 for none

	cluster     uint64 // its time in ticks
	blocks      int    // of the chosen track
	first, last int64  // their times in ticks
	step        int64  // between the last two
	packet      uint64 // samples of Opus in the last, 0 when not known
	discard     int64  // nanoseconds at its end that are not played
	ours        bool   // the last block was the chosen track's
}

// maxTracks bounds the track table; a recording has one.
const maxTracks = 64

// inspectWebM walks the elements of a Matroska file down to its blocks. What a cut-off
// file ends inside of is passed over if there was audio before it.
func inspectWebM(b []byte) (Info, error) {
	w := webmWalk{scale: defaultScale}
	for rest := b; len(rest) > 0; {
		id, body, next, whole := readElement(rest)
		if !whole {
			if w.blocks > 0 {
				break
			}
			return Info{}, broken(providers.WebM, "ends before its audio")
		}
		if err := w.element(id, body); err != nil {
			return Info{}, err
		}
		rest = next
	}
	return w.info()
}

// isMaster says whether an element is entered.
func isMaster(id uint64) bool {
	switch id {
	case idEBML, idSegment, idInfo, idTracks, idTrackEntry, idAudio, idCluster, idBlockGroup:
		return true
	}
	return false
}

// readElement reads the element that b begins with. next is what to read then: the
// inside of a master, else what is behind it. whole is false when b ends too early.
func readElement(b []byte) (id uint64, body, next []byte, whole bool) {
	id, n := readVint(b, 4, true)
	if n == 0 {
		return 0, nil, nil, false
	}
	size, m := readVint(b[n:], 8, false)
	if m == 0 {
		return 0, nil, nil, false
	}
	body = b[n+m:]
	if isMaster(id) {
		return id, nil, body, true
	}
	if size > uint64(len(body)) { // an unknown size is larger than anything
		return id, nil, nil, false
	}
	return id, body[:size], body[size:], true
}

// readVint reads a number whose first byte's leading zeros say how many more bytes it
// has, up to most in all; n is how many it took, 0 for none. marked keeps the bit
// that ends the zeros, which is part of an element's identity.
func readVint(b []byte, most int, marked bool) (v uint64, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	n = 1
	for mask := byte(0x80); b[0]&mask == 0; mask >>= 1 {
		if n++; n > most {
			return 0, 0
		}
	}
	if len(b) < n {
		return 0, 0
	}
	for _, c := range b[:n] {
		v = v<<8 | uint64(c)
	}
	if !marked {
		v &= 1<<(7*n) - 1
	}
	return v, n
}

// element takes one element.
func (w *webmWalk) element(id uint64, body []byte) error {
	switch id {
	case idDocType:
		if w.docType = text(body); w.docType != "webm" && w.docType != "matroska" {
			return broken(providers.WebM, "is a document of another kind")
		}
	case idTimestampScale:
		w.scale = min(max(unsigned(body), 1), uint64(time.Minute))
	case idDuration:
		w.duration = float(body)
	case idTrackEntry:
		if len(w.tracks) == maxTracks {
			return broken(providers.WebM, "has more than %d tracks", maxTracks)
		}
		w.tracks = append(w.tracks, webmTrack{rate: defaultSampleRate, channels: 1})
	case idCluster:
		return w.choose()
	case idClusterTime:
		w.cluster = unsigned(body)
	case idSimpleBlock, idBlock:
		return w.block(body)
	case idDiscardPadding:
		if w.ours && len(body) <= 8 {
			w.discard = signed(body)
		}
	default:
		if len(w.tracks) > 0 && w.chosen == nil {
			w.tracks[len(w.tracks)-1].element(id, body)
		}
	}
	return nil
}

// element takes an element of a track's entry.
func (t *webmTrack) element(id uint64, body []byte) {
	switch id {
	case idTrackNumber:
		t.number = unsigned(body)
	case idTrackType:
		t.kind = unsigned(body)
	case idCodecID:
		t.codec = text(body)
	case idCodecDelay:
		t.delay = unsigned(body)
	case idSampleRate:
		t.rate = float(body)
	case idChannels:
		t.channels = unsigned(body)
	case idEncodings:
		t.encoded = true
	}
}

// codecName is the codec as [Info] names it; "" for one that is not read. PCM is not
// WebM by the book, but Chromium records it on demand, and whoever reads Matroska
// reads it.
func (t *webmTrack) codecName() string {
	switch t.codec {
	case "A_OPUS":
		return "opus"
	case "A_VORBIS":
		return "vorbis"
	case "A_PCM/FLOAT/IEEE":
		return "float"
	case "A_PCM/INT/LIT":
		return "pcm"
	}
	return ""
}

// choose takes the first track of audio, when the first cluster begins.
func (w *webmWalk) choose() error {
	if w.chosen != nil {
		return nil
	}
	for i := range w.tracks {
		if w.tracks[i].kind == matroskaAudio {
			w.chosen = &w.tracks[i]
			break
		}
	}
	switch {
	case w.chosen == nil:
		return broken(providers.WebM, "has no audio track")
	case w.chosen.codecName() == "":
		return broken(providers.WebM, "holds neither Opus nor Vorbis")
	case w.chosen.encoded:
		return broken(providers.WebM, "is encrypted or compressed twice")
	}
	return nil
}

// block takes a block of any track: number, time in its cluster, flags, packets.
func (w *webmWalk) block(b []byte) error {
	track, n := readVint(b, 8, false)
	if n == 0 || len(b) < n+3 {
		return broken(providers.WebM, "has a damaged block")
	}
	w.ours = w.chosen != nil && track == w.chosen.number
	if !w.ours {
		return nil
	}
	const most = math.MaxInt64 / 4
	at := int64(min(w.cluster, most)) + int64(int16(binary.BigEndian.Uint16(b[n:])))
	flags, packet := b[n+2], b[n+3:]
	if w.blocks == 0 {
		w.first, w.last = at, at
	}
	w.blocks++
	w.step, w.last = max(at-w.last, 0), max(w.last, at)
	w.packet, w.discard = 0, 0
	const lacing = 0x06 // several packets in the block
	if flags&lacing == 0 && w.chosen.codecName() == "opus" {
		w.packet = opusSamples(packet)
	}
	return nil
}

// info is the outcome of the walk.
func (w *webmWalk) info() (Info, error) {
	switch {
	case w.docType == "":
		return Info{}, broken(providers.WebM, "does not say what document it is")
	case w.blocks == 0:
		return Info{}, broken(providers.WebM, "holds no audio")
	}
	i := Info{Format: providers.WebM, Codec: w.chosen.codecName(), SampleRate: opusRate, Channels: int(min(w.chosen.channels, 1<<16))}
	if i.Codec != "opus" {
		i.SampleRate = int(max(0, min(w.chosen.rate, 1<<30)))
	}
	length := float64(w.last-w.first) * float64(w.scale)
	claimed := w.duration * float64(w.scale)
	switch {
	case w.packet > 0:
		length += float64(samples(w.packet, opusRate)) - float64(w.discard)
	case claimed >= length && claimed < length+float64(time.Second): // the blocks bear it out
		length = claimed
	default:
		length += float64(w.step) * float64(w.scale)
	}
	length -= float64(w.chosen.delay)
	i.Duration = time.Duration(min(length, float64(2*longest)))
	return i, nil
}

// unsigned, signed, float and text read values of elements, 0 or "" for what is none.

func unsigned(b []byte) (v uint64) {
	if len(b) > 8 {
		return 0
	}
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

func signed(b []byte) int64 {
	if len(b) == 0 || len(b) > 8 {
		return 0
	}
	shift := 64 - 8*len(b)
	return int64(unsigned(b)<<shift) >> shift
}

func float(b []byte) float64 {
	v := 0.0
	switch len(b) {
	case 4:
		v = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	case 8:
		v = math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

func text(b []byte) string {
	const longestName = 64
	s, _, _ := bytes.Cut(b[:min(len(b), longestName)], []byte{0})
	return string(s)
}
