package fillers

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"kalami/session/learn"
)

// Every language that is taught has every clip: words, and a voice of a sensible length
// and loudness that says them.
func TestEveryLanguage(t *testing.T) {
	longest := map[Kind]int{Thinking: 2400, Moment: 1800, Apology: 5000, Voiceless: 5000, Deaf: 5000}
	total, seen := 0, map[string]bool{}
	for _, l := range learn.Languages {
		for _, kind := range Kinds() {
			c := Say(l.Code, kind)
			if c.Text == "" || strings.TrimSpace(c.Text) != c.Text || seen[c.Text] {
				t.Errorf("%s %s: the text %q is missing, padded or another's", l.Code, kind, c.Text)
			}
			seen[c.Text] = true
			total += len(c.wav)
			pcm := c.PCM(16000)
			if ms := len(pcm) / 32; ms < 500 || ms > longest[kind] {
				t.Errorf("%s %s: %d ms long", l.Code, kind, ms)
			}
			if db := loudness(pcm); db < -30 || db > -10 {
				t.Errorf("%s %s: %.1f dBFS", l.Code, kind, db)
			}
		}
	}
	if total > 1_500_000 {
		t.Errorf("the clips take %d bytes", total)
	}
	t.Logf("%d languages, %d bytes", len(learn.Languages), total)
}

// loudness is the mean power of samples in decibels below full scale.
func loudness(pcm []byte) float64 {
	sum := 0.0
	for i := 0; i+1 < len(pcm); i += 2 {
		s := float64(int16(binary.LittleEndian.Uint16(pcm[i:]))) / (1 << 15)
		sum += s * s
	}
	return 10 * math.Log10(2*sum/float64(max(1, len(pcm))))
}

func TestOtherLanguages(t *testing.T) {
	if a, b := Say("es-MX", Thinking).Text, Say("es", Thinking).Text; a != b {
		t.Errorf("Mexican Spanish says %q, Spanish %q", a, b)
	}
	if a, b := Say("xx", Apology).Text, Say("en", Apology).Text; a != b {
		t.Errorf("an unknown language says %q, not %q", a, b)
	}
	if c := Say("en", "song"); c.Text != "" || c.PCM(16000) != nil {
		t.Errorf("an unknown kind says %q", c.Text)
	}
}

// The same clip at another rate is as long, as loud, and passes through the same samples.
func TestRates(t *testing.T) {
	c := Say("fr", Apology)
	at16, at24, at48 := c.PCM(16000), c.PCM(24000), c.PCM(48000)
	if len(at24)*2 != len(at16)*3 || len(at48) != len(at16)*3 {
		t.Fatalf("%d bytes at 16 kHz are %d at 24 kHz and %d at 48 kHz", len(at16), len(at24), len(at48))
	}
	for i := 0; i < len(at16)/4; i++ { // every second sample at 16 kHz is every third at 24 kHz
		if a, b := binary.LittleEndian.Uint16(at16[4*i:]), binary.LittleEndian.Uint16(at24[6*i:]); a != b {
			t.Fatalf("sample %d is %d at 16 kHz and %d at 24 kHz", 2*i, a, b)
		}
	}
	if a, b := loudness(at16), loudness(at24); math.Abs(a-b) > 1 {
		t.Errorf("%.1f dBFS at 16 kHz, %.1f at 24 kHz", a, b)
	}
	if c.PCM(0) != nil {
		t.Error("there is audio at no rate")
	}
}

// A file made by hand: the samples follow from the IMA's tables.
func TestDecode(t *testing.T) {
	file := wavOf(1, 16000, 8, []byte{100, 0, 0, 0, 0x08, 0x70, 0, 0 /* next block */, 0xfe, 0xff, 88, 0, 0x00, 0, 0, 0})
	samples, rate, err := decode(file)
	if err != nil || rate != 16000 {
		t.Fatal(rate, err)
	}
	// step 7: code 8 is -0, code 0 +0; code 0, code 7 is 7+3+1; the next step is 16: +2 each
	want := []int16{100, 100, 100, 100, 111, 113, 114, 115, 116, -2, 4093}
	for i, w := range want {
		if samples[i] != w {
			t.Fatalf("samples %d, want %d", samples[:len(want)], want)
		}
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "no WAV": []byte("RIFFxxxxWAVX"), "stereo": wavOf(2, 16000, 8, make([]byte, 8)),
		"no rate": wavOf(1, 0, 8, make([]byte, 8)), "no blocks": wavOf(1, 16000, 4, make([]byte, 8)),
		"cut off": file[:len(file)-1], "no data": file[:36],
	} {
		if _, _, err := decode(bad); !errors.Is(err, errNotClip) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// wavOf makes a file without a fact chunk.
func wavOf(channels uint16, rate uint32, block uint16, data []byte) []byte {
	out := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt "), 16, 0, 0, 0)
	out = binary.LittleEndian.AppendUint16(out, adpcm)
	out = binary.LittleEndian.AppendUint16(out, channels)
	out = binary.LittleEndian.AppendUint32(out, rate)
	out = binary.LittleEndian.AppendUint32(out, rate/2)
	out = binary.LittleEndian.AppendUint16(out, block)
	out = append(out, 4, 0)
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(data)))
	return append(out, data...)
}

// FuzzDecode: whatever the bytes are, they are refused, or they are samples within bounds.
func FuzzDecode(f *testing.F) {
	f.Add(Say("en", Moment).wav)
	f.Add(wavOf(1, 16000, 8, make([]byte, 24)))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, wav []byte) {
		samples, rate, err := decode(wav)
		if err != nil {
			if !errors.Is(err, errNotClip) {
				t.Error(err)
			}
			return
		}
		if len(samples) > maxSamples || len(samples) > 2*len(wav) || rate < 1000 {
			t.Errorf("%d samples at %d Hz of %d bytes", len(samples), rate, len(wav))
		}
		if out := resample(samples, rate, 24000); len(out) != int(int64(len(samples))*24000/int64(rate)) {
			t.Errorf("%d samples at %d Hz are %d at 24 kHz", len(samples), rate, len(out))
		}
	})
}
