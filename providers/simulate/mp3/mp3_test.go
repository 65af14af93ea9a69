package mp3

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	gomp3 "github.com/hajimehoshi/go-mp3"

	"kalami/providers/recording"
)

// speech is an utterance of 16 kHz. The encoder does not mind being told another rate:
// then it sounds high, and is harder to code.
func speech(t testing.TB) []int16 {
	t.Helper()
	b, err := os.ReadFile("../testdata/en-01-clean.wav")
	if err != nil {
		t.Fatal(err)
	}
	return samplesOf(b[44:])
}

func samplesOf(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

func bytesOf(pcm []int16) []byte {
	var b []byte
	for _, v := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// encoded is all of an encoder's output.
func encoded(t testing.TB, pcm []int16, rate, bitRate int) []byte {
	t.Helper()
	var out bytes.Buffer
	e, err := NewEncoder(&out, rate, bitRate)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(bytesOf(pcm)); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// decoders are independent implementations that must understand what is encoded.
func decoders(t testing.TB) map[string]func(t testing.TB, b []byte) []int16 {
	all := map[string]func(t testing.TB, b []byte) []int16{"go-mp3": decodeGo}
	if _, err := exec.LookPath("ffmpeg"); err == nil {
		all["ffmpeg"] = decodeFFmpeg
	} else {
		t.Log("ffmpeg is not here to decode")
	}
	return all
}

// decodeGo decodes with go-mp3, which makes two channels of one.
func decodeGo(t testing.TB, b []byte) []int16 {
	t.Helper()
	d, err := gomp3.NewDecoder(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	both := samplesOf(out)
	pcm := make([]int16, len(both)/2)
	for i := range pcm {
		pcm[i] = both[2*i]
	}
	return pcm
}

func decodeFFmpeg(t testing.TB, b []byte) []int16 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "warning", "-f", "mp3", "-i", "-", "-f", "s16le", "-")
	cmd.Stdin = bytes.NewReader(b)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, &stderr)
	}
	return samplesOf(out)
}

// snr is the ratio of signal to noise in decibels of what comes out [Delay] later.
// It fails the test when less comes out than went in.
func snr(t *testing.T, in, out []int16) float64 {
	t.Helper()
	if len(out) < len(in)+Delay {
		t.Fatalf("%d samples came out, %d went in", len(out), len(in))
	}
	signal, noise := 0.0, 1e-9
	for i, v := range in {
		d := float64(out[i+Delay]) - float64(v)
		signal += float64(v) * float64(v)
		noise += d * d
	}
	return 10 * math.Log10(signal/noise)
}

// Speech comes out of every decoder as it went in, with little noise, at every rate.
func TestSpeech(t *testing.T) {
	in := speech(t)
	for name, decode := range decoders(t) {
		for _, tt := range []struct {
			rate, bitRate int
			least         float64 // dB
		}{
			{24000, 64000, 30}, {44100, 64000, 24}, // what vendors' clips have
			{16000, 64000, 36}, {22050, 64000, 30}, {32000, 64000, 27}, {48000, 64000, 23},
			{24000, 8000, 4}, {24000, 160000, 50}, {44100, 32000, 15}, {44100, 320000, 50},
		} {
			t.Run(fmt.Sprintf("%s/%d/%d", name, tt.rate, tt.bitRate), func(t *testing.T) {
				out := decode(t, encoded(t, in, tt.rate, tt.bitRate))
				if got := snr(t, in, out); got < tt.least {
					t.Errorf("%.1f dB, want at least %v", got, tt.least)
				}
			})
		}
	}
}

// A tone stays a tone: all that is left when it is taken out is far below it.
func TestTone(t *testing.T) {
	const hz = 1000
	for _, rate := range []int{24000, 44100} {
		turn := 2 * math.Pi * hz / float64(rate)
		in := make([]int16, rate)
		for i := range in {
			in[i] = int16(20000 * math.Sin(turn*float64(i)))
		}
		out := decodeGo(t, encoded(t, in, rate, 64000))[2*Delay:][:rate/2]
		re, im, all := 0.0, 0.0, 0.0
		for i, v := range out {
			s, c := math.Sincos(turn * float64(i))
			re, im, all = re+float64(v)*c, im+float64(v)*s, all+float64(v)*float64(v)
		}
		tone := 2 * (re*re + im*im) / float64(len(out)) // its energy
		if ratio := tone / all; ratio < 0.9999 || ratio > 1.0001 {
			t.Errorf("%d Hz: %.5f of the energy is in the tone", rate, ratio)
		}
		if loud := math.Sqrt(2 * all / float64(len(out))); math.Abs(loud-20000) > 100 {
			t.Errorf("%d Hz: its peak is %.0f, want 20000", rate, loud)
		}
	}
}

// What strains the codes: nothing at all, and as much as 16 bits hold.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name  string
		at    func(i int) int16
		least float64
	}{
		{"silence", func(int) int16 { return 0 }, math.Inf(-1)},
		{"a whisper", func(i int) int16 { return int16(i/50%2*32 - 16) }, 20},
		{"one click", func(i int) int16 {
			if i == 5000 {
				return 32767
			}
			return 0
		}, 5},
		{"noise of full scale", func(int) int16 { return int16(r.Uint32()) }, 3},
		{"a square of full scale", func(i int) int16 { return int16(i/60%2*65534 - 32767) }, 10},
		{"a constant", func(int) int16 { return -32768 }, 25},
	} {
		in := make([]int16, 24000)
		for i := range in {
			in[i] = tt.at(i)
		}
		for name, decode := range decoders(t) {
			for _, bitRate := range []int{8000, 64000, 160000} {
				if name != "go-mp3" && bitRate != 64000 {
					continue // another process each time, for little more
				}
				t.Run(fmt.Sprintf("%s/%s/%d", tt.name, name, bitRate), func(t *testing.T) {
					out := decode(t, encoded(t, in, 24000, bitRate))
					got := snr(t, in, out)
					if bitRate >= 64000 && got < tt.least {
						t.Errorf("%.1f dB, want at least %v", got, tt.least)
					}
					if tt.name != "silence" {
						return
					}
					for i, v := range out {
						if v != 0 {
							t.Fatalf("sample %d of silence is %d", i, v)
						}
					}
				})
			}
		}
	}
}

// The frames are a recording of the right length, and nothing but frames.
func TestFrames(t *testing.T) {
	for _, tt := range []struct{ rate, bitRate, samples, frame int }{
		{24000, 64000, 24000, 576},
		{24000, 64000, 0, 576},
		{24000, 64000, 1, 576},
		{22050, 56000, 100_000, 576}, // frames of 182 and 183 bytes
		{44100, 64000, 441_000, 1152},
		{44100, 128000, 44_100, 1152},
		{48000, 64000, 48_001, 1152},
	} {
		b := encoded(t, make([]int16, tt.samples), tt.rate, tt.bitRate)
		got, err := recording.Inspect(b)
		if err != nil {
			t.Fatalf("%+v: %v", tt, err)
		}
		frames := (tt.samples + Delay + tt.frame - 1) / tt.frame
		want := time.Duration(frames*tt.frame) * time.Second / time.Duration(tt.rate)
		if got.Codec != "mp3" || got.SampleRate != tt.rate || got.Channels != 1 || (got.Duration-want).Abs() > time.Microsecond {
			t.Errorf("%+v: %+v, want %v", tt, got, want)
		}
		// A constant bit rate: the size follows from the time, but for one padding.
		if size := int(want.Seconds() * float64(tt.bitRate) / 8); len(b) < size-2 || len(b) > size+2 {
			t.Errorf("%+v: %d bytes, want %d", tt, len(b), size)
		}
	}
}

// However a stream is cut into writes, the frames are the same.
func TestPieces(t *testing.T) {
	pcm := bytesOf(speech(t)[8000:20000])
	want := encoded(t, samplesOf(pcm), 24000, 64000)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 0))
		var out bytes.Buffer
		e, err := NewEncoder(&out, 24000, 64000)
		if err != nil {
			t.Fatal(err)
		}
		for rest := pcm; len(rest) > 0; {
			n := min(r.IntN(1+r.IntN(5000)), len(rest))
			if m, err := e.Write(rest[:n]); m != n || err != nil {
				t.Fatalf("wrote %d of %d: %v", m, n, err)
			}
			rest = rest[n:]
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Fatalf("seed %d: other frames", seed)
		}
	}
}

// Frames stand alone, so that clips can be joined.
func TestJoined(t *testing.T) {
	in := speech(t)[8000:20000]
	one := encoded(t, in, 24000, 64000)
	out := decodeGo(t, append(bytes.Clone(one), one...))
	second := out[len(out)/2:]
	if got := snr(t, in, second); got < 30 {
		t.Errorf("the second clip has %.1f dB", got)
	}
}

func TestNewEncoderRefuses(t *testing.T) {
	for _, tt := range []struct{ rate, bitRate int }{
		{8000, 64000}, {24001, 64000}, {0, 64000}, {24000, 0}, {24000, -64000},
		{24000, 64}, {24000, 64001}, {24000, 320000}, {44100, 8000},
	} {
		if _, err := NewEncoder(io.Discard, tt.rate, tt.bitRate); err == nil {
			t.Errorf("%d Hz at %d bits a second is taken", tt.rate, tt.bitRate)
		}
	}
}

// brokenWriter takes some bytes and then fails.
type brokenWriter struct {
	left int
	err  error
}

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, w.err
	}
	return len(b), nil
}

func TestErrors(t *testing.T) {
	gone := errors.New("gone")
	e, err := NewEncoder(&brokenWriter{1000, gone}, 24000, 64000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(make([]byte, 48000)); !errors.Is(err, gone) {
		t.Errorf("writing to who is gone: %v", err)
	}
	if err := e.Close(); !errors.Is(err, gone) {
		t.Errorf("closing: %v", err)
	}
	e, err = NewEncoder(io.Discard, 24000, 64000)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := e.Write([]byte{1, 2}); !errors.Is(err, errClosed) {
		t.Errorf("writing after Close: %v", err)
	}
	if err := e.Close(); !errors.Is(err, errClosed) {
		t.Errorf("closing again: %v", err)
	}
}

// The codes are prefix codes that leave nothing out.
func TestCodes(t *testing.T) {
	tables := map[string][]code{"A": quadsA[:], "B": quadsB[:]}
	for _, p := range pairTables {
		tables[fmt.Sprint(p.id)] = p.codes
		if len(p.codes) != p.width*p.width {
			t.Errorf("table %d has %d codes", p.id, len(p.codes))
		}
	}
	for name, codes := range tables {
		taken := map[code]bool{}
		sum := 0.0
		for _, c := range codes {
			sum += math.Exp2(-float64(c.len))
			for n := c; n.len > 0; n = (code{n.len - 1, n.bits >> 1}) {
				if slices.Contains(codes, n) && n != c {
					t.Errorf("table %s: %v begins with %v", name, c, n)
				}
			}
			if taken[c] {
				t.Errorf("table %s has %v twice", name, c)
			}
			taken[c] = true
		}
		if sum != 1 {
			t.Errorf("table %s fills %v of the codes", name, sum)
		}
	}
}

// FuzzEncode holds the encoder to giving, for any samples, frames that are decoded
// without a complaint.
func FuzzEncode(f *testing.F) {
	f.Add(bytesOf([]int16{0, 32767, -32768, 1, -1}), true)
	f.Add(bytes.Repeat([]byte{0xff, 0x7f, 0, 0x80}, 600), false)
	f.Fuzz(func(t *testing.T, pcm []byte, mpeg1 bool) {
		rate := 24000
		if mpeg1 {
			rate = 44100
		}
		in := samplesOf(pcm)
		if out := decodeGo(t, encoded(t, in, rate, 64000)); len(out) < len(in)+Delay {
			t.Fatalf("%d samples came out, %d went in", len(out), len(in))
		}
	})
}

func BenchmarkEncoder(b *testing.B) {
	pcm := bytesOf(speech(b))
	for _, rate := range []int{24000, 44100} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(pcm)))
			for b.Loop() {
				e, err := NewEncoder(io.Discard, rate, 64000)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.Write(pcm); err != nil {
					b.Fatal(err)
				}
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
			}
			seconds := float64(len(pcm)) / 2 / float64(rate) * float64(b.N)
			b.ReportMetric(seconds/b.Elapsed().Seconds(), "realtime")
		})
	}
}
