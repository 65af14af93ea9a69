package simulate

import (
	"embed"
	"strings"
)

// The clips are made by clips/generate.go from the tutor's lines of the built-in
// scripts; clips/NOTICE says with what, and that they are free to use.
//
//go:generate go run ./clips/generate.go -dir clips

//go:embed clips/index.tsv clips/*.wav
var clipFiles embed.FS

// clipKey names a fragment: language (primary subtag) and normalised text.
type clipKey struct{ lang, text string }

// clipIndex reads which file speaks which fragment. Each line of the index is
// language, file and fragment, separated by tabs.
func clipIndex() map[clipKey]string {
	b, err := clipFiles.ReadFile("clips/index.tsv")
	if err != nil {
		return nil // cannot be: the file is embedded, or nothing would build
	}
	index := make(map[clipKey]string)
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 3 {
			index[clipKey{f[0], normalise(f[2])}] = f[1]
		}
	}
	return index
}

// clip returns the shipped audio of a fragment and its sample rate. A fragment
// in an unknown language is looked for in all.
func (v *speaker) clip(key clipKey) (pcm []int16, rate int, ok bool) {
	file, ok := v.clips[key]
	for _, lang := range [...]string{"en", "es", "fr", "de"} {
		if !ok && key.lang == "" {
			file, ok = v.clips[clipKey{lang, key.text}]
		}
	}
	if !ok {
		return nil, 0, false
	}
	b, err := clipFiles.ReadFile("clips/" + file)
	if err != nil {
		return nil, 0, false
	}
	w, err := parseWAV(b)
	if err != nil {
		return nil, 0, false
	}
	return w.pcm, w.rate, true
}
