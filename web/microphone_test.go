package web_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// microphoneFile writes a WAV of 5 s: a second of something like speech (a 140 Hz
// buzz in syllables), then silence. The browser plays it again and again.
func microphoneFile(t *testing.T) string {
	t.Helper()
	const rate, seconds = 48000, 5
	samples := make([]int16, rate*seconds)
	for i := range samples {
		at := float64(i) / rate
		if at < 1 || at > 2 {
			continue
		}
		syllable := 0.5 - 0.5*math.Cos(2*math.Pi*4*at)
		var buzz float64
		for k := 1; k <= 20; k++ {
			buzz += math.Sin(2*math.Pi*140*float64(k)*at) / float64(k)
		}
		samples[i] = int16(9000 * syllable * buzz)
	}
	head := make([]byte, 0, 44+2*len(samples))
	le := binary.LittleEndian
	head = append(head, "RIFF"...)
	head = le.AppendUint32(head, uint32(36+2*len(samples)))
	head = append(head, "WAVEfmt "...)
	head = le.AppendUint32(head, 16)
	head = le.AppendUint16(head, 1) // PCM
	head = le.AppendUint16(head, 1) // mono
	head = le.AppendUint32(head, rate)
	head = le.AppendUint32(head, rate*2)
	head = le.AppendUint16(head, 2)
	head = le.AppendUint16(head, 16)
	head = append(head, "data"...)
	head = le.AppendUint32(head, uint32(2*len(samples)))
	for _, s := range samples {
		head = le.AppendUint16(head, uint16(s))
	}
	file := filepath.Join(t.TempDir(), "microphone.wav")
	if err := os.WriteFile(file, head, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
