package simulate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// engineTimeout bounds one run of espeak-ng, which takes some 20 ms.
const engineTimeout = 10 * time.Second

// engineVoices are the espeak-ng voices by language; a closed list, so that no
// client's text becomes a command-line argument.
func engineVoice(lang string) string {
	switch lang {
	case "en":
		return "en-us"
	case "fr":
		return "fr-fr"
	case "es", "de", "it", "nl", "pl", "tr", "el", "ru", "hi", "ja", "ko", "sv", "da", "fi", "cs", "ro", "hu", "uk", "ca":
		return lang
	case "pt":
		return "pt-br"
	case "zh":
		return "cmn"
	}
	return "en-us"
}

// espeak speaks text with espeak-ng, which reads it from its standard input. It
// waits for a free slot and ends with ctx.
func (v *speaker) espeak(ctx context.Context, text, lang string) (pcm []int16, rate int, err error) {
	select {
	case v.slots <- struct{}{}:
		defer func() { <-v.slots }()
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, v.engine, "-v", engineVoice(lang), "-s", "150", "--stdin", "--stdout")
	cmd.Stdin = strings.NewReader(text)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, 0, fmt.Errorf("espeak-ng: %w", err)
	}
	w, err := parseWAV(out.Bytes())
	if err != nil {
		return nil, 0, fmt.Errorf("espeak-ng: %w", err)
	}
	return trimSilence(w.pcm), w.rate, nil
}

// trimSilence cuts the quiet ends off a voice's audio.
func trimSilence(pcm []int16) []int16 {
	const quiet = 160 // about -46 dBFS
	loud := func(s int16) bool { return s > quiet || s < -quiet }
	from, to := 0, len(pcm)
	for from < to && !loud(pcm[from]) {
		from++
	}
	for to > from && !loud(pcm[to-1]) {
		to--
	}
	return pcm[from:to]
}

// wave is a mono WAV file's audio.
type wave struct {
	rate int
	pcm  []int16
}

// WAV format tags.
const (
	wavPCM   = 1
	wavMulaw = 7
)

// parseWAV reads a mono WAV of 16-bit PCM or 8-bit µ-law. A data chunk that
// claims more than there is (a WAV written to a pipe) ends with the file.
func parseWAV(b []byte) (wave, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return wave{}, errors.New("not a WAV file")
	}
	var format, bits, channels, rate int
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:8]))
		body := b[8:]
		if id == "data" {
			if rate <= 0 || channels != 1 {
				return wave{}, errors.New("WAV: not mono, or no format before the data")
			}
			return wavData(body[:min(size, len(body))], format, bits, rate)
		}
		if size > len(body) {
			break
		}
		if id == "fmt " && size >= 16 {
			format = int(binary.LittleEndian.Uint16(body))
			channels = int(binary.LittleEndian.Uint16(body[2:]))
			rate = int(binary.LittleEndian.Uint32(body[4:]))
			bits = int(binary.LittleEndian.Uint16(body[14:]))
		}
		b = body[min(size+size%2, len(body)):]
	}
	return wave{}, errors.New("WAV: no data")
}

// wavData unpacks the samples.
func wavData(b []byte, format, bits, rate int) (wave, error) {
	w := wave{rate: rate}
	switch {
	case format == wavPCM && bits == 16:
		w.pcm = make([]int16, len(b)/2)
		for i := range w.pcm {
			w.pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case format == wavMulaw && bits == 8:
		w.pcm = make([]int16, len(b))
		for i, c := range b {
			w.pcm[i] = mulawToLinear(c)
		}
	default:
		return wave{}, fmt.Errorf("WAV: format %d with %d bits", format, bits)
	}
	return w, nil
}

// mulawToLinear expands one G.711 µ-law sample.
func mulawToLinear(c byte) int16 {
	c = ^c
	s := (int(c&0x0f)<<3 + 0x84) << (c >> 4 & 7)
	if c&0x80 != 0 {
		return int16(0x84 - s)
	}
	return int16(s - 0x84)
}

// linearToMulaw packs one sample as G.711 µ-law.
func linearToMulaw(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, 32635) + 0x84
	exp := 7
	for mask := 0x4000; v&mask == 0 && exp > 0; mask >>= 1 {
		exp--
	}
	return ^(sign | byte(exp)<<4 | byte(v>>(exp+3)&0x0f))
}
