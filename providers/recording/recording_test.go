package recording

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kalami/providers"
)

// fixture reads a file of testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const ms = time.Millisecond

// fixtures are the files of testdata, what they are, and how long ffmpeg 5.1 makes
// them: as ffprobe states it (make.sh prints it), or as it decodes them where it
// states nothing or counts what encoders add to the ends. within is one frame.
var fixtures = []struct {
	file   string
	want   Info
	within time.Duration
}{
	{"speech.wav", Info{providers.WAV, "pcm", 3500 * ms, 16000, 1}, 0},
	{"stereo24.wav", Info{providers.WAV, "pcm", 100 * ms, 44100, 2}, 0},
	{"float.wav", Info{providers.WAV, "float", 100 * ms, 24000, 1}, 0},
	{"speech-cbr.mp3", Info{providers.MP3, "mp3", 3500 * ms, 44100, 1}, 0},
	{"speech-vbr.mp3", Info{providers.MP3, "mp3", 3500 * ms, 16000, 1}, 0},
	{"speech-plain.mp3", Info{providers.MP3, "mp3", 3672 * ms, 8000, 1}, 0},
	{"speech.webm", Info{providers.WebM, "opus", 3500 * ms, 48000, 1}, 20 * ms},
	{"speech-live.webm", Info{providers.WebM, "opus", 3500 * ms, 48000, 1}, 20 * ms},
	{"vorbis.webm", Info{providers.WebM, "vorbis", 3516 * ms, 16000, 1}, 32 * ms},
	{"chromium.webm", Info{providers.WebM, "opus", 3480 * ms, 48000, 1}, 0},
	{"speech.ogg", Info{providers.Ogg, "opus", 3500 * ms, 48000, 1}, 20 * ms},
	{"vorbis.ogg", Info{providers.Ogg, "vorbis", 3500 * ms, 16000, 1}, 0},
	{"speech.m4a", Info{providers.M4A, "aac", 3500 * ms, 16000, 1}, 0},
	{"speech-fragmented.m4a", Info{providers.M4A, "aac", 3564 * ms, 16000, 1}, 64 * ms},
	{"chromium.m4a", Info{providers.M4A, "opus", 3442 * ms, 48000, 1}, 21 * ms},
	{"opus.m4a", Info{providers.M4A, "opus", 3500 * ms, 48000, 1}, 0},
	{"alac.m4a", Info{providers.M4A, "alac", 500 * ms, 16000, 1}, 0},
}

func TestInspect(t *testing.T) {
	for _, f := range fixtures {
		t.Run(f.file, func(t *testing.T) {
			got, err := Inspect(fixture(t, f.file))
			if err != nil {
				t.Fatal(err)
			}
			if d := got.Duration - f.want.Duration; d.Abs() > f.within {
				t.Errorf("lasts %v, want %v within %v", got.Duration, f.want.Duration, f.within)
			}
			got.Duration = f.want.Duration
			if got != f.want {
				t.Errorf("got %+v, want %+v", got, f.want)
			}
		})
	}
}

// A recording that was cut off anywhere is refused, or lasts no longer than the whole.
func TestCutOff(t *testing.T) {
	for _, f := range fixtures {
		whole := fixture(t, f.file)
		step := max(1, len(whole)/2000)
		for n := 0; n < len(whole); n += step {
			got, err := Inspect(whole[:n])
			switch {
			case err != nil:
				checkError(t, err)
			case got.Format != f.want.Format || got.Duration > f.want.Duration+f.within:
				t.Fatalf("%s cut off after %d bytes is %+v", f.file, n, got)
			}
		}
	}
}

// checkError fails for an error that Inspect does not promise.
func checkError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrBroken) {
		t.Fatalf("an error of no kind: %v", err)
	}
	s := Sentence(err)
	if !strings.HasPrefix(s, "the ") || strings.HasSuffix(s, ".") {
		t.Fatalf("not a sentence for people: %q", s)
	}
}

// What is in none of the formats is told from what is broken.
func TestNoRecording(t *testing.T) {
	for _, tt := range []struct {
		name  string
		audio string
		want  error
	}{
		{"nothing", "", ErrEmpty},
		{"text", "This is not audio, however long it may be.", ErrUnknown},
		{"JSON", `{"audio":"UklGRg=="}`, ErrUnknown},
		{"zeros", strings.Repeat("\x00", 1<<16), ErrUnknown},
		{"ones", strings.Repeat("\xff", 1<<16), ErrUnknown},
		{"a picture", "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00\xff\xf3", 500), ErrUnknown},
		{"RIFF of another kind", "RIFF\x10\x00\x00\x00AVI LIST", ErrUnknown},
		{"FLAC", "fLaC\x00\x00\x00\x22", ErrUnknown},
		{"AAC without a container", strings.Repeat("\xff\xf1\x50\x80\x01\x7f\xfc", 200), ErrUnknown},
		{"one letter", "R", ErrUnknown},
		{"a beginning of WAV", "RIFF", ErrBroken},
		{"a beginning of Ogg", "OggS", ErrBroken},
		{"a beginning of WebM", "\x1a\x45\xdf\xa3", ErrBroken},
		{"a beginning of M4A", "\x00\x00\x00\x18ftyp", ErrBroken},
		{"a beginning of MP3", "ID3", ErrBroken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Inspect([]byte(tt.audio))
			if !errors.Is(err, tt.want) || got != (Info{}) {
				t.Fatalf("got %+v and %v, want %v", got, err, tt.want)
			}
			checkError(t, err)
		})
	}
}

func TestSentence(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{ErrEmpty, "the recording is empty"},
		{fmt.Errorf("wrapped: %w", ErrUnknown), "the recording is not WAV, MP3, WebM, M4A or Ogg audio"},
		{fmt.Errorf("wrapped: %w", broken(providers.WebM, "has no audio track")), "the WebM recording has no audio track"},
		{errors.New("of somebody else"), ""},
		{nil, ""},
	} {
		if got := Sentence(tt.err); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestFormatOfName(t *testing.T) {
	for _, tt := range []struct {
		name  string
		want  providers.AudioFormat
		known bool
	}{
		{"a.wav", providers.WAV, true},
		{"turn 3.MP3", providers.MP3, true},
		{"blob.webm", providers.WebM, true},
		{"recording.m4a", providers.M4A, true},
		{"video.mp4", providers.M4A, true},
		{"a.b.ogg", providers.Ogg, true},
		{"a.oga", providers.Ogg, true},
		{"PTT.opus", providers.Ogg, true},
		{"a.flac", providers.WAV, false},
		{"wav", providers.WAV, false},
		{"", providers.WAV, false},
	} {
		if got, known := FormatOfName(tt.name); got != tt.want || known != tt.known {
			t.Errorf("%q: %s, %v; want %s, %v", tt.name, got, known, tt.want, tt.known)
		}
	}
}

// Sizes that are claimed cost nothing: neither memory nor time.
func TestClaims(t *testing.T) {
	const huge = "\xff\xff\xff\xff"
	nested := ""
	for range 20 {
		nested = box("stbl", nested)
	}
	inside := func(table string) string { return ftyp + movie(track("soun", table)) }
	for _, tt := range []struct{ name, audio string }{
		{"samples of WAV", "RIFF" + huge + "WAVEfmt " + huge},
		{"times of M4A", inside(box("stts", "\x00\x00\x00\x00"+huge))},
		{"sizes of M4A", inside(box("stsz", "\x00\x00\x00\x00\x00\x00\x00\x00"+huge))},
		{"edits of M4A", inside(box("elst", "\x01\x00\x00\x00"+huge))},
		{"depth of M4A", inside(nested)},
		{"a box of M4A", ftyp + "\x00\x00\x00\x01moov" + huge + huge},
		{"an element of WebM", "\x1a\x45\xdf\xa3\x9f\x42\x82\x01" + huge + huge},
		{"an ID3 tag", "ID3\x04\x00\x00\x7f\x7f\x7f\x7f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			audio := []byte(tt.audio)
			if _, err := Inspect(audio); !errors.Is(err, ErrBroken) {
				t.Errorf("%v, want a broken recording", err)
			}
			if n := testing.AllocsPerRun(10, func() { _, _ = Inspect(audio) }); n > 60 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	for _, name := range []string{"speech.wav", "speech-cbr.mp3", "speech.webm", "speech.ogg", "speech.m4a"} {
		audio := fixture(b, name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(audio)))
			for b.Loop() {
				if _, err := Inspect(audio); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func FuzzInspect(f *testing.F) {
	for _, x := range fixtures {
		b := fixture(f, x.file)
		f.Add(b[:min(len(b), 4<<10)])
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, audio []byte) { checkInspect(t, audio, Inspect) })
}

// checkInspect holds an inspection to what [Inspect] promises of any bytes.
func checkInspect(t *testing.T, audio []byte, inspect func([]byte) (Info, error)) {
	before := bytes.Clone(audio)
	got, err := inspect(audio)
	if !bytes.Equal(audio, before) {
		t.Fatal("the audio was changed")
	}
	if err == nil {
		err = check(got)
	}
	switch {
	case err != nil:
		checkError(t, err)
	case got.Codec == "" || got.Format == "":
		t.Fatalf("%+v is no description", got)
	}
}

// broke fails unless the audio is broken for a reason.
func broke(t *testing.T, audio []byte, reason string) {
	t.Helper()
	got, err := Inspect(audio)
	if e, ok := errors.AsType[*Error](err); !ok || !strings.Contains(e.Reason, reason) {
		t.Errorf("got %+v and %v, want an error that it %s", got, err, reason)
	}
}

// lasts fails unless the audio can be read and lasts so long.
func lasts(t *testing.T, audio []byte, want time.Duration) {
	t.Helper()
	if got, err := Inspect(audio); err != nil || got.Duration != want {
		t.Errorf("%v, %v; want %v", got.Duration, err, want)
	}
}
