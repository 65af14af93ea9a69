package recording

import (
	"encoding/binary"
	"errors"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestSamples(t *testing.T) {
	le := binary.LittleEndian
	double := func(v ...float64) (b []byte) {
		for _, x := range v {
			b = le.AppendUint64(b, math.Float64bits(x))
		}
		return b
	}
	for _, tt := range []struct {
		name, format, data string
		want               []int16
	}{
		{"8 bits", format(1, 1, 16000, 8), "\x00\x80\xff", []int16{-32768, 0, 32512}},
		{"16 bits", format(1, 1, 16000, 16), "\x01\x00\xff\x7f\xff\xff", []int16{1, 32767, -1}},
		{"24 bits, of two channels the first", format(1, 2, 16000, 24), "\xff\x01\x00\x00\x00\x80\x00\xff\xff\x00\x00\x00", []int16{1, -1}},
		{"32 bits", format(1, 1, 16000, 32), "\x00\x00\x00\x80", []int16{-32768}},
		{"double float", format(3, 1, 16000, 64), string(double(0, 0.5, -1, 2, math.Inf(-1), math.NaN())), []int16{0, 16384, -32768, 32767, -32768, 0}},
		{"a-law", format(6, 1, 8000, 8), "\xd5\x55\xaa\x2a", []int16{8, -8, 32256, -32256}},
		{"µ-law", format(7, 1, 8000, 8), "\xff\x7f\x80\x00", []int16{0, 0, 32124, -32124}},
		{"half a sample", format(1, 1, 16000, 16), "\x01\x00\x02", []int16{1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Samples(riff(chunk("fmt ", tt.format), chunk("data", tt.data)))
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%v, %v; want %v", got, err, tt.want)
			}
		})
	}
	if _, err := Samples([]byte("RIFF")); !errors.Is(err, ErrBroken) {
		t.Errorf("a broken file: %v", err)
	}
	if _, err := Samples(fixture(t, "speech.ogg")); !errors.Is(err, ErrUnknown) {
		t.Errorf("another format: %v", err)
	}
}

// What another decoder makes of the fixtures.
func TestSamplesOfFixtures(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg, which decodes for comparison, is not installed")
	}
	for _, name := range []string{"speech.wav", "stereo24.wav", "float.wav"} {
		got, err := Samples(fixture(t, name))
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", filepath.Join("testdata", name),
			"-af", "pan=mono|c0=c0", "-f", "s16le", "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		if len(out) != 2*len(got) {
			t.Fatalf("%s: %d samples, want %d", name, len(got), len(out)/2)
		}
		for i, v := range got {
			if want := int16(binary.LittleEndian.Uint16(out[2*i:])); max(v-want, want-v) > 1 {
				t.Fatalf("%s: sample %d is %d, want %d", name, i, v, want)
			}
		}
	}
}
