package recording

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"
)

// element is an element of EBML. id is its bytes.
func element(id string, body ...string) string {
	b := strings.Join(body, "")
	return id + string(binary.BigEndian.AppendUint64(nil, 1<<56|uint64(len(b)))) + b
}

// unsized is an element that does not say where it ends.
func unsized(id string, body ...string) string {
	return id + "\x01\xff\xff\xff\xff\xff\xff\xff" + strings.Join(body, "")
}

func double(v float64) string {
	return string(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
}

// The elements of these tests, by their bytes.
const (
	ebml       = ebmlMagic
	docType    = "\x42\x82"
	segment    = "\x18\x53\x80\x67"
	segInfo    = "\x15\x49\xa9\x66"
	scale      = "\x2a\xd7\xb1"
	claimed    = "\x44\x89"
	trackTable = "\x16\x54\xae\x6b"
	entry      = "\xae"
	number     = "\xd7"
	kind       = "\x83"
	codec      = "\x86"
	audio      = "\xe1"
	cluster    = "\x1f\x43\xb6\x75"
	clock      = "\xe7"
	simple     = "\xa3"
	group      = "\xa0"
	block      = "\xa1"
	padding    = "\x75\xa2"
)

// webm is a file with one track, its inside unsized as browsers write it.
func webm(codecID string, inside ...string) []byte {
	return []byte(element(ebml, element(docType, "webm")) + unsized(segment,
		element(trackTable, element(entry, element(number, "\x01"), element(kind, "\x02"), element(codec, codecID),
			element(audio, element("\xb5", double(16000)), element("\x9f", "\x01")))),
		strings.Join(inside, "")))
}

// at is a block's body: track 1, at some ticks in its cluster, not laced.
func at(ticks byte, packet string) string {
	return "\x81\x00" + string([]byte{ticks}) + "\x80" + packet
}

func TestWebM(t *testing.T) {
	const opus, vorbis = "A_OPUS", "A_VORBIS"
	two := element(simple, at(0, opusPacket)) + element(simple, at(20, opusPacket))
	zero := element(clock, "\x00")
	for _, tt := range []struct {
		name  string
		audio []byte
		want  time.Duration
	}{
		{"two blocks", webm(opus, unsized(cluster, zero, two)), 40 * ms},
		{"two clusters", webm(opus, unsized(cluster, zero, two), unsized(cluster, element(clock, "\x01\x00"), two)), 256*ms + 40*ms},
		{"joined late", webm(opus, unsized(cluster, element(clock, "\x01\x00\x00"), two)), 40 * ms},
		{"ticks of 2 ms", webm(opus, element(segInfo, element(scale, "\x1e\x84\x80")), unsized(cluster, zero, two)), 60 * ms},
		{"out of order", webm(opus, unsized(cluster, zero, element(simple, at(0, opusPacket)), element(simple, at(40, opusPacket)), element(simple, at(20, opusPacket)))), 60 * ms},
		{"padding at the end", webm(opus, unsized(cluster, zero, two, element(group, element(block, at(40, opusPacket)), element(padding, "\x00\x98\x96\x80")))), 50 * ms},
		{"another track's blocks", webm(opus, unsized(cluster, zero, two, element(simple, "\x82\x00\xff\x80 words"))), 40 * ms},
		{"two packets in a block", webm(opus, unsized(cluster, zero, two, element(simple, "\x81\x00\x28\x86\x01 packets"))), 60 * ms},
		{"void and tags between", webm(opus, element("\xec", "void"), unsized(cluster, zero, two), element("\x12\x54\xc3\x67", "tags")), 40 * ms},
		{"Vorbis without a claim", webm(vorbis, unsized(cluster, zero, two)), 40 * ms},
		{"Vorbis with a claim", webm(vorbis, element(segInfo, element(claimed, double(33))), unsized(cluster, zero, two)), 33 * ms},
		{"Vorbis with a wrong claim", webm(vorbis, element(segInfo, element(claimed, double(1e300))), unsized(cluster, zero, two)), 40 * ms},
		{"Vorbis with no number", webm(vorbis, element(segInfo, element(claimed, double(math.NaN()))), unsized(cluster, zero, two)), 40 * ms},
		{"PCM", webm("A_PCM/FLOAT/IEEE", unsized(cluster, zero, two)), 40 * ms},
		{"cut off behind audio", webm(opus, unsized(cluster, zero, two, "\xa3\x90\x81")), 40 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) { lasts(t, tt.audio, tt.want) })
	}
}

func TestBrokenWebM(t *testing.T) {
	one := unsized(cluster, element(clock, "\x00"), element(simple, at(0, opusPacket)))
	many := strings.Repeat(element(entry, element(kind, "\x11")), maxTracks+1)
	for _, tt := range []struct {
		name   string
		audio  []byte
		reason string
	}{
		{"no cluster", webm("A_OPUS"), "holds no audio"},
		{"no blocks", webm("A_OPUS", unsized(cluster, element(clock, "\x00"))), "holds no audio"},
		{"other blocks alone", webm("A_OPUS", unsized(cluster, element(simple, "\x82\x00\x00\x80 words"))), "holds no audio"},
		{"a damaged block", webm("A_OPUS", unsized(cluster, element(simple, "\x81\x00"))), "has a damaged block"},
		{"AC-3", webm("A_AC3", one), "holds neither Opus nor Vorbis"},
		{"an encrypted track", []byte(element(ebml, element(docType, "webm")) + unsized(segment, element(trackTable, element(entry,
			element(number, "\x01"), element(kind, "\x02"), element(codec, "A_OPUS"), element("\x6d\x80", "keys"))), one)), "is encrypted"},
		{"a film without sound", []byte(element(ebml, element(docType, "webm")) + unsized(segment, element(trackTable, element(entry,
			element(number, "\x01"), element(kind, "\x01"), element(codec, "V_VP9"))), one)), "has no audio track"},
		{"no tracks", []byte(element(ebml, element(docType, "webm")) + unsized(segment, one)), "has no audio track"},
		{"many tracks", []byte(element(ebml, element(docType, "webm")) + unsized(segment, element(trackTable, many), one)), "has more than 64 tracks"},
		{"another document", []byte(element(ebml, element(docType, "photos")) + unsized(segment, one)), "is a document of another kind"},
		{"EBML alone", []byte(element(ebml)), "does not say what document it is"},
		{"a year", webm("A_VORBIS", one, unsized(cluster, element(clock, "\x07\x57\xb1\x2c\x00"), element(simple, at(0, "x")))), "claims to last more than a day"},
		{"more than can be counted", webm("A_VORBIS", one, unsized(cluster, element(clock, "\xff\xff\xff\xff\xff\xff\xff\xff"), element(simple, at(0, "x")))), "claims to last more than a day"},
		{"cut off in the tracks", webm("A_OPUS", one)[:80], "ends before its audio"},
	} {
		t.Run(tt.name, func(t *testing.T) { broke(t, tt.audio, tt.reason) })
	}
}

func FuzzWebM(f *testing.F) {
	f.Add(webm("A_OPUS", unsized(cluster, element(clock, "\x00"), element(simple, at(0, opusPacket)))))
	f.Add(webm("A_VORBIS", element(segInfo, element(claimed, double(20))),
		unsized(cluster, element(clock, "\x00"), element(group, element(block, at(0, "x")), element(padding, "\x10")))))
	f.Add(fixture(f, "speech-live.webm")[:2000])
	f.Fuzz(func(t *testing.T, audio []byte) { checkInspect(t, audio, inspectWebM) })
}
