package recording

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"
)

// box is a box of an MP4 file.
func box(kind string, body ...string) string {
	b := strings.Join(body, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(8+len(b)))) + kind + b
}

// full is the body of a box with a version (the highest byte) and flags, and numbers.
func full(flags uint32, numbers ...uint32) string {
	b := binary.BigEndian.AppendUint32(nil, flags)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return string(b)
}

// Parts of the tests' files: 1000 ticks a second in the track, 500 in the movie.
const v1 = 1 << 24

var (
	ftyp = box("ftyp", "M4A \x00\x00\x00\x00")
	mvhd = box("mvhd", full(0, 0, 0, 500, 0))
	mdat = box("mdat", strings.Repeat("x", 100))
)

// sound is a description of samples.
func sound(kind string, inside ...string) string {
	plain := full(0, 1, 0, 0, 2<<16|16, 0, 16000<<16)
	return box("stsd", full(0, 1), box(kind, plain, strings.Join(inside, "")))
}

// track is a trak box of a handler, with a table of samples and what is beside mdia.
func track(handler, table string, beside ...string) string {
	return box("trak", box("tkhd", full(0, 0, 0, 7)), strings.Join(beside, ""),
		box("mdia", box("mdhd", full(0, 0, 0, 1000, 0)), box("hdlr", full(0, 0), handler), box("minf", box("stbl", table))))
}

// aac is an esds box: profile LC, 16 kHz, one channel.
func aac(object string) string {
	config := object + strings.Repeat("\x00", 12) + "\x05\x02\x14\x08"
	return box("esds", full(0), "\x03\x80\x80\x80\x20\x00\x01\x00", "\x04\x11", config)
}

// hundred is a table of 10 samples of 10 ticks and 10 bytes.
var hundred = sound("mp4a", aac("\x40")) + box("stts", full(0, 1, 10, 10)) + box("stsz", full(0, 10, 10))

func movie(traks ...string) string { return box("moov", mvhd, strings.Join(traks, "")) }

func TestM4A(t *testing.T) {
	const duration, sizes = 0x100, 0x200
	sounds := sound("mp4a", aac("\x40"))
	streamed := ftyp + box("moov", mvhd, track("soun", sounds+box("stts", full(0, 0))), box("mvex", box("trex", full(0, 7, 1, 30, 0, 0))))
	fragment := func(track uint32, run string) string {
		return box("moof", box("mfhd", full(0, 1)), box("traf", box("tfhd", full(0, track)), run))
	}
	placed := func(at, count uint32) string { // samples of the default
		return box("moof", box("traf", box("tfhd", full(0, 7)), box("tfdt", full(0, at)), box("trun", full(0, count))))
	}
	for _, tt := range []struct {
		name  string
		audio string
		want  time.Duration
	}{
		{"a table", ftyp + movie(track("soun", hundred)) + mdat, 100 * ms},
		{"contents behind the audio", ftyp + mdat + movie(track("soun", hundred)), 100 * ms},
		{"long times", ftyp + box("moov", box("mvhd", full(v1, 0, 0, 0, 0, 500)), box("trak", box("mdia",
			box("mdhd", full(v1, 0, 0, 0, 0, 1000)), box("hdlr", full(0, 0), "soun"), box("minf", box("stbl", hundred))))) + mdat, 100 * ms},
		{"sizes one by one", ftyp + movie(track("soun", sounds+box("stts", full(0, 2, 1, 50, 1, 25))+box("stsz", full(0, 0, 2, 60, 40)))) + mdat, 75 * ms},
		{"an edit", ftyp + movie(track("soun", hundred, box("edts", box("elst", full(0, 1, 30, 20, 1<<16))))) + mdat, 60 * ms},
		{"a long edit", ftyp + movie(track("soun", hundred, box("edts", box("elst", full(v1, 1, 0, 30, 0, 20, 1<<16))))) + mdat, 60 * ms},
		{"a pause and an edit", ftyp + movie(track("soun", hundred, box("edts", box("elst", full(0, 2, 500, 0xffffffff, 1<<16, 0, 20, 1<<16))))) + mdat, 80 * ms},
		{"beside a film", ftyp + movie(track("vide", box("stsd", full(0, 1), box("avc1", "film"))), track("soun", hundred)) + mdat, 100 * ms},
		{"audio to the end", ftyp + movie(track("soun", hundred)) + "\x00\x00\x00\x00mdat" + strings.Repeat("x", 100), 100 * ms},
		{"a box of 64 bits", ftyp + movie(track("soun", hundred)) + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x74" + strings.Repeat("x", 100), 100 * ms},
		{"fragments of a default", streamed + fragment(7, box("trun", full(0, 2))) + mdat + fragment(7, box("trun", full(1, 1, 0))) + mdat, 90 * ms},
		{"fragments of their own", streamed + box("moof", box("traf", box("tfhd", full(0x8, 7, 40)), box("trun", full(0, 2)))) + mdat, 80 * ms},
		{"samples of their own", streamed + fragment(7, box("trun", full(duration|sizes, 2, 5, 100, 6, 100))) + mdat, 11 * ms},
		{"another track's fragments", streamed + fragment(7, box("trun", full(0, 2))) + fragment(8, box("trun", full(0, 9))) + mdat, 60 * ms},
		{"fragments with a gap", streamed + placed(500, 2) + mdat + placed(600, 1) + mdat, 130 * ms},
		{"a fragment with a long time", streamed + box("moof", box("traf", box("tfhd", full(0, 7)), box("tfdt", full(v1, 1, 0)), box("trun", full(0, 1)))) + mdat, 30 * ms},
		{"the last fragment cut off", streamed + fragment(7, box("trun", full(0, 2))) + mdat + fragment(7, box("trun", full(0, 1))) + mdat[:50], 60 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) { lasts(t, []byte(tt.audio), tt.want) })
	}
}

func TestM4ACodec(t *testing.T) {
	times := box("stts", full(0, 1, 10, 10))
	for _, tt := range []struct {
		description, want string
		channels          int
	}{
		{sound("mp4a", aac("\x40")), "aac", 1},
		{sound("mp4a", aac("\x67")), "aac", 1},
		{sound("mp4a", aac("\x6b")), "mp3", 2},
		{sound("mp4a"), "aac", 2},
		{sound("Opus", box("dOps", "")), "opus", 2},
		{sound("alac"), "alac", 2},
	} {
		got, err := Inspect([]byte(ftyp + movie(track("soun", tt.description+times)) + mdat))
		if err != nil || got.Codec != tt.want || got.Channels != tt.channels {
			t.Errorf("%q: %+v, %v", tt.description, got, err)
		}
	}
}

func TestBrokenM4A(t *testing.T) {
	times := box("stts", full(0, 1, 10, 10))
	whole := []byte(ftyp + movie(track("soun", hundred)) + mdat)
	unscaled := bytes.Replace(whole, []byte(box("mdhd", full(0, 0, 0, 1000, 0))), []byte(box("mdhd", full(0, 0, 0, 0, 0))), 1)
	for _, tt := range []struct {
		name   string
		audio  []byte
		reason string
	}{
		{"not ended", []byte(ftyp + mdat), "lacks its table of contents"},
		{"cut off", whole[:len(whole)-1], "is cut off"},
		{"no tracks", []byte(ftyp + movie() + mdat), "has no audio track"},
		{"a film without sound", []byte(ftyp + movie(track("vide", hundred)) + mdat), "has no audio track"},
		{"AMR", []byte(ftyp + movie(track("soun", sound("samr")+times)) + mdat), "holds neither AAC nor Opus nor ALAC"},
		{"encrypted", []byte(ftyp + movie(track("soun", sound("enca")+times)) + mdat), "holds neither AAC nor Opus nor ALAC"},
		{"a codec of another kind", []byte(ftyp + movie(track("soun", sound("mp4a", aac("\xdd"))+times)) + mdat), "holds neither AAC nor Opus nor ALAC"},
		{"no samples", []byte(ftyp + movie(track("soun", sound("mp4a", aac("\x40")))) + mdat), "holds no audio"},
		{"all edited away", []byte(ftyp + movie(track("soun", hundred, box("edts", box("elst", full(0, 1, 30, 100, 1<<16))))) + mdat), "holds no audio"},
		{"audio missing", []byte(ftyp + movie(track("soun", hundred)) + box("mdat", "x")), "lacks a part of its audio"},
		{"no clock", unscaled, "does not say how its time is counted"},
		{"a child larger than its parent", slices.Concat([]byte(ftyp), []byte("\x00\x00\x00\x10moov\x00\x00\x00\x10trak"), []byte(mdat)), "has a damaged header"},
		{"a short fragment", []byte(ftyp + movie(track("soun", hundred)) + box("moof", box("traf", box("tfhd", full(0, 7)), box("trun", full(0x100, 9, 1)))) + mdat), "has a damaged fragment"},
		{"a day and more", []byte(ftyp + movie(track("soun", sound("alac")+box("stts", full(0, 1, 1<<20, 1<<20)))) + mdat), "claims to last more than a day"},
	} {
		t.Run(tt.name, func(t *testing.T) { broke(t, tt.audio, tt.reason) })
	}
}

func FuzzM4A(f *testing.F) {
	f.Add([]byte(ftyp + movie(track("soun", hundred, box("edts", box("elst", full(0, 1, 30, 20, 1<<16))))) + mdat))
	f.Add(fixture(f, "speech-fragmented.m4a")[:2500])
	f.Fuzz(func(t *testing.T, audio []byte) { checkInspect(t, audio, inspectM4A) })
}
