package openai

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"testing/iotest"
)

// tone is a second of a sine at 24 kHz.
func tone(hertz float64) []byte {
	var b []byte
	for i := range spokenRate {
		v := 10000 * math.Sin(2*math.Pi*hertz*float64(i)/spokenRate)
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(v)))
	}
	return b
}

// level is the amplitude of a sine's middle part, relative to tone's.
func level(pcm []byte) float64 {
	pcm = pcm[len(pcm)/4&^1 : len(pcm)/2&^1]
	var sum float64
	for i := 0; i < len(pcm); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[i:])))
		sum += v * v
	}
	return math.Sqrt(2*sum/float64(len(pcm)/2)) / 10000
}

func TestDownsamplerKeepsSpeechAndDropsWhatWouldFoldBack(t *testing.T) {
	for _, c := range []struct{ hertz, min, max float64 }{
		{200, 0.99, 1.01}, {1000, 0.99, 1.01}, {4000, 0.99, 1.01}, {6000, 0.98, 1.02},
		{8800, 0, 0.003}, {10000, 0, 0.003}, {11500, 0, 0.003},
	} {
		var d downsampler
		out := d.push(nil, tone(c.hertz))
		if len(out) != 2*16000 {
			t.Fatalf("%d samples from a second, want 16000", len(out)/2)
		}
		if got := level(out); got < c.min || got > c.max {
			t.Errorf("%v Hz comes out at %.4f of its level, want %v to %v", c.hertz, got, c.min, c.max)
		}
	}
}

func TestPCMReaderDoesNotCareHowAudioIsCut(t *testing.T) {
	audio := tone(440)
	for _, rate := range []int{spokenRate, 16000} {
		whole := readPCM(t, bytes.NewReader(audio), rate)
		for name, src := range map[string]io.Reader{
			"byte by byte":    iotest.OneByteReader(bytes.NewReader(audio)),
			"half reads":      iotest.HalfReader(bytes.NewReader(audio)),
			"data with error": iotest.DataErrReader(bytes.NewReader(audio)),
			"half a sample":   bytes.NewReader(append(bytes.Clone(audio), 7)),
		} {
			if got := readPCM(t, src, rate); !bytes.Equal(got, whole) {
				t.Errorf("%s at %d Hz: %d bytes differ from the whole's %d", name, rate, len(got), len(whole))
			}
		}
	}
}

// readPCM reads everything that a source holds.
func readPCM(t *testing.T, src io.Reader, rate int) []byte {
	t.Helper()
	p := &pcmReader{src: src, rate: rate}
	var all []byte
	for {
		pcm, err := p.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, pcm...)
	}
}

func TestPCMReaderPassesErrorsOn(t *testing.T) {
	cut := errors.New("cut")
	p := &pcmReader{src: io.MultiReader(bytes.NewReader([]byte{1, 0, 2, 0, 3}), iotest.ErrReader(cut)), rate: spokenRate}
	if pcm, err := p.next(); err != nil || len(pcm) != 4 {
		t.Fatalf("%v, %v; want two samples", pcm, err)
	}
	if _, err := p.next(); err != cut {
		t.Errorf("got %v, want the source's error", err)
	}
}

// FuzzErrorBody feeds what a server may say instead of an answer.
func FuzzErrorBody(f *testing.F) {
	f.Add(429, []byte(`{"error":{"message":"m","type":"requests","param":null,"code":"rate_limit_exceeded"}}`))
	f.Add(500, []byte(`{"error":"model not found"}`))
	f.Add(0, []byte(`{"error":{"code":404,"type":["x"]}}`))
	f.Add(502, []byte(`<html>bad gateway</html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		err := refused("reply", nil, status, body)
		if err == nil || len(err.Error()) > 400 {
			t.Errorf("error %v", err)
		}
	})
}
