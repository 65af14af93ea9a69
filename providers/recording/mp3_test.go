package recording

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// mp3Frames are n empty frames that begin with a header.
func mp3Frames(n int, header string) []byte {
	h, ok := readMP3Header([]byte(header))
	if !ok {
		panic("not a header")
	}
	return slices.Repeat(append([]byte(header), make([]byte, h.size-4)...), n)
}

// id3 is an ID3v2 tag.
func id3(version, flags byte, body string) []byte {
	n := len(body)
	return append([]byte{'I', 'D', '3', version, 0, flags, 0, 0, byte(n >> 7), byte(n & 127)}, body...)
}

func TestMP3Header(t *testing.T) {
	for _, tt := range []struct {
		name, header string
		want         mp3Header // the zero for none
	}{
		{"MPEG 1, stereo", "\xff\xfb\x90\x00", mp3Header{true, 44100, 2, 1152, 417}},
		{"MPEG 1, padded", "\xff\xfb\x92\x00", mp3Header{true, 44100, 2, 1152, 418}},
		{"MPEG 1, with checksum", "\xff\xfa\x94\x00", mp3Header{true, 48000, 2, 1152, 384}},
		{"MPEG 1, 320 kbit/s", "\xff\xfb\xe8\x40", mp3Header{true, 32000, 2, 1152, 1440}},
		{"MPEG 2, mono", "\xff\xf3\x84\xc0", mp3Header{false, 24000, 1, 576, 192}},
		{"MPEG 2, 8 kbit/s", "\xff\xf3\x10\xc0", mp3Header{false, 22050, 1, 576, 26}},
		{"MPEG 2.5, mono", "\xff\xe3\x28\xc0", mp3Header{false, 8000, 1, 576, 144}},
		{"reserved version", "\xff\xeb\x90\x00", mp3Header{}},
		{"layer II", "\xff\xfd\x90\x00", mp3Header{}},
		{"reserved rate", "\xff\xfb\x9c\x00", mp3Header{}},
		{"free bit rate", "\xff\xfb\x00\x00", mp3Header{}},
		{"bad bit rate", "\xff\xfb\xf0\x00", mp3Header{}},
		{"bad emphasis", "\xff\xfb\x90\x02", mp3Header{}},
		{"no sync", "\xff\x7b\x90\x00", mp3Header{}},
		{"short", "\xff\xfb\x90", mp3Header{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := readMP3Header([]byte(tt.header))
			if want := tt.want != (mp3Header{}); ok != want || ok && got != tt.want {
				t.Errorf("%+v, %v; want %+v", got, ok, tt.want)
			}
		})
	}
}

func TestMP3(t *testing.T) {
	const header = "\xff\xf3\x84\xc0" // 24 kHz, 24 ms
	frames := mp3Frames(50, header)
	noise := make([]byte, 1000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	vbri := mp3Frames(51, header)
	copy(vbri[36:], "VBRI")
	xing := mp3Frames(51, header)
	copy(xing[4+9:], "Xing\x00\x00\x00\x0f")
	for _, tt := range []struct {
		name  string
		audio []byte
		want  time.Duration
	}{
		{"frames", frames, 1200 * ms},
		{"one frame", mp3Frames(1, header), 24 * ms},
		{"MPEG 1", mp3Frames(50, "\xff\xfb\x94\x00"), 1200 * ms},
		{"varying bit rate", slices.Concat(frames, mp3Frames(10, "\xff\xf3\x44\xc0"), frames), 2640 * ms},
		{"behind a tag", slices.Concat(id3(3, 0, "TIT2 title"), frames), 1200 * ms},
		{"behind two tags, one with a footer", slices.Concat(id3(4, 0x10, strings.Repeat("x", 300)+"3DI0123456"), id3(3, 0, "y"), frames), 1200 * ms},
		{"before a tag", slices.Concat(frames, []byte("TAG"), make([]byte, 125)), 1200 * ms},
		{"behind noise", slices.Concat(noise, frames), 1200 * ms},
		{"around noise", slices.Concat(frames, noise, frames), 2400 * ms},
		{"behind half a frame", slices.Concat(frames[100:192], frames), 1200 * ms},
		{"last frame torn", frames[:len(frames)-10], 1176 * ms},
		{"Xing, of no encoder that trims", xing, 1200 * ms},
		{"VBRI", vbri, 1200 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) { lasts(t, tt.audio, tt.want) })
	}
}

func TestNoMP3(t *testing.T) {
	frames := mp3Frames(50, "\xff\xf3\x84\xc0")
	if _, err := Inspect(slices.Concat(make([]byte, 1<<18), frames)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a little MP3 behind much else: %v", err)
	}
	broke(t, id3(3, 0, "TIT2 title"), "has no MP3 frames behind its ID3 tag")
	broke(t, slices.Concat(id3(4, 0, "x"), make([]byte, 5000)), "has no MP3 frames behind its ID3 tag")
	broke(t, []byte("ID3\x04\x00\x00\x00\x00\x10\x00"), "ends inside its ID3 tag")
	// Only the frame that describes the others.
	index := mp3Frames(1, "\xff\xf3\x84\xc0")
	copy(index[13:], "Info\x00\x00\x00\x00")
	broke(t, index, "holds no audio")
}

// Noise is not taken for MP3, though the beginning of a header is in it often.
func TestNoiseIsNoMP3(t *testing.T) {
	noise := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(r.Uint32()) | byte(r.Uint32()&0xe0)
	}
	if got, err := Inspect(noise); !errors.Is(err, ErrUnknown) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzMP3(f *testing.F) {
	f.Add(mp3Frames(3, "\xff\xf3\x84\xc0"))
	f.Add(slices.Concat(id3(4, 0x10, "x3DI0123456"), mp3Frames(2, "\xff\xfb\x94\x00")))
	b := fixture(f, "speech-vbr.mp3")
	f.Add(b[:1500])
	f.Fuzz(func(t *testing.T, audio []byte) { checkInspect(t, audio, inspectMP3) })
}
