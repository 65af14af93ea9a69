//go:build ignore

// Command generate makes the clips that the simulated voices speak the built-in
// scripts with: one WAV per punctuation-bounded fragment of the tutor's lines,
// and index.tsv. It needs flite, espeak-ng and sox, and is run by
//
//	go generate ./providers/simulate
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kalami/providers/simulate"
)

const (
	rate      = 16000
	targetRMS = 0.105 // of full scale, over the voiced part: about -19.6 dBFS
	maxPeak   = 0.84  // about -1.5 dBFS
	quiet     = 0.006 // what counts as silence at the ends
	edge      = rate / 100
)

func main() {
	dir := flag.String("dir", "clips", "where index.tsv and the WAVs go")
	flag.Parse()
	if err := run(*dir); err != nil {
		log.Fatal(err)
	}
}

func run(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.wav"))
	if err != nil {
		return err
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	var index strings.Builder
	seen := map[string]bool{} // language and lower-case fragment
	names := map[string]bool{}
	for _, sc := range inOrder(simulate.Scripts()) {
		for _, line := range lines(sc) {
			for spoken, tail := range simulate.Fragments(line) {
				id := sc.Language + " " + strings.ToLower(spoken)
				if seen[id] {
					continue
				}
				seen[id] = true
				name := fileName(sc.Language, spoken, names)
				if err := clip(sc.Language, spoken+tail, filepath.Join(dir, name)); err != nil {
					return fmt.Errorf("%s %q: %w", sc.Language, spoken, err)
				}
				fmt.Fprintf(&index, "%s\t%s\t%s\n", sc.Language, name, spoken)
			}
		}
	}
	return os.WriteFile(filepath.Join(dir, "index.tsv"), []byte(index.String()), 0o644)
}

// inOrder returns the scripts by language code, so that the result is repeatable.
func inOrder(m map[string]simulate.Script) []simulate.Script {
	var out []simulate.Script
	for _, s := range m {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b simulate.Script) int { return strings.Compare(a.Language, b.Language) })
	return out
}

func lines(s simulate.Script) []string {
	out := []string{s.Opener}
	for _, t := range s.Turns {
		out = append(out, t.Tutor)
	}
	return append(out, s.Otherwise)
}

// fileName makes an ASCII name from the first words of a fragment.
func fileName(lang, text string, taken map[string]bool) string {
	plain := strings.NewReplacer("á", "a", "à", "a", "â", "a", "ä", "ae", "é", "e", "è", "e", "ê", "e", "í", "i",
		"î", "i", "ó", "o", "ô", "o", "ö", "oe", "ú", "u", "û", "u", "ü", "ue", "ñ", "n", "ç", "c", "ß", "ss")
	var b strings.Builder
	for _, r := range plain.Replace(strings.ToLower(text)) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := lang + "-" + strings.Trim(b.String()[:min(b.Len(), 40)], "-")
	name := base + ".wav"
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s-%d.wav", base, n)
	}
	taken[name] = true
	return name
}

// clip speaks text into a µ-law WAV: trimmed, levelled, with soft edges.
func clip(lang, text, file string) error {
	wav, err := engine(lang, text)
	if err != nil {
		return err
	}
	toRaw := exec.Command("sox", "-D", "-t", "wav", "--ignore-length", "-", "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-r", fmt.Sprint(rate), "-", "highpass", "60")
	toRaw.Stdin = bytes.NewReader(wav)
	raw, err := toRaw.Output()
	if err != nil {
		return err
	}
	x := level(trim(samples(raw)))
	toMulaw := exec.Command("sox", "-D", "-t", "raw", "-e", "signed", "-b", "16", "-c", "1", "-r", fmt.Sprint(rate), "-", "-e", "mu-law", "-b", "8", file)
	toMulaw.Stdin = bytes.NewReader(x)
	toMulaw.Stderr = os.Stderr
	return toMulaw.Run()
}

// engine speaks text as a WAV, through files: flite hangs on some pipes.
func engine(lang, text string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "clips")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	in, out := filepath.Join(tmp, "in.txt"), filepath.Join(tmp, "out.wav")
	if err := os.WriteFile(in, []byte(text+"\n"), 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "flite", "-voice", "slt", "--setf", "duration_stretch=1.06", "-f", in, "-o", out)
	if lang != "en" {
		voice := map[string]string{"es": "es", "fr": "fr-fr", "de": "de"}[lang]
		cmd = exec.CommandContext(ctx, "espeak-ng", "-v", voice, "-s", "150", "-g", "1", "-f", in, "-w", out)
	}
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, msg)
	}
	return os.ReadFile(out)
}

func samples(raw []byte) []float64 {
	x := make([]float64, len(raw)/2)
	for i := range x {
		x[i] = float64(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / 32768
	}
	return x
}

// trim cuts silence off both ends, leaving ten milliseconds.
func trim(x []float64) []float64 {
	from, to := 0, len(x)
	for from < to && math.Abs(x[from]) < quiet {
		from++
	}
	for to > from && math.Abs(x[to-1]) < quiet {
		to--
	}
	return x[max(0, from-edge):min(len(x), to+edge)]
}

// level brings the root mean square to the target unless the peak forbids it,
// fades the edges, and packs the samples.
func level(x []float64) []byte {
	sum, peak := 0.0, 0.0
	for _, s := range x {
		sum += s * s
		peak = max(peak, math.Abs(s))
	}
	gain := min(targetRMS/math.Sqrt(sum/float64(len(x))), maxPeak/peak)
	out := make([]byte, 0, 2*len(x))
	for i, s := range x {
		fade := min(1, float64(i)/edge, float64(len(x)-1-i)/edge)
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(math.Round(s*gain*fade*32767))))
	}
	return out
}
