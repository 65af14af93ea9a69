package simulate

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kalami/providers/recording"
)

// uploads are one utterance as learners' clients record it, 3.5 s in every format.
var uploads = []string{
	"speech.wav", "speech-cbr.mp3", "speech-vbr.mp3", "speech-plain.mp3", "speech.webm", "speech-live.webm",
	"speech.ogg", "vorbis.ogg", "speech.m4a", "speech-fragmented.m4a", "chromium.webm", "chromium.m4a",
}

func recordedFile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../recording/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// whisperText asks the simulated OpenAI for the text of a file.
func whisperText(t *testing.T, url string, file []byte) (string, int) {
	t.Helper()
	body, contentType := form(t, file, "model", "whisper-1", "language", "en", "response_format", "verbose_json")
	res := post(t, url+"/v1/audio/transcriptions", body, "Content-Type", contentType)
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), res.StatusCode
}

// listenText asks the simulated Deepgram for the text of a file.
func listenText(t *testing.T, url string, file []byte) (string, int) {
	t.Helper()
	res := post(t, url+"/v1/listen?model=nova-3&punctuate=true", string(file), "Content-Type", "audio/whatever")
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), res.StatusCode
}

// Both ears hear the script's line in every format, and how long it lasts.
func TestUploads(t *testing.T) {
	for _, name := range uploads {
		t.Run(name, func(t *testing.T) {
			_, url := serve(t, Options{})
			file := recordedFile(t, name)
			line := Scripts()["en"].Turns[0].Learner
			body, status := whisperText(t, url, file)
			got := decode(t, body)
			if took, _ := got["duration"].(float64); status != http.StatusOK || got["text"] != line || took < 3.4 || took > 3.7 {
				t.Errorf("OpenAI: %d %s", status, body)
			}
			body, status = listenText(t, url, file)
			got = decode(t, body)
			took, _ := at(got, "metadata", "duration").(float64)
			text, _ := at(got, "results", "channels", 0, "alternatives", 0, "transcript").(string)
			if status != http.StatusOK || took < 3.4 || took > 3.7 || !strings.HasPrefix(line, strings.TrimRight(text, ".")) || len(text) < len(line)/2 {
				t.Errorf("Deepgram: %d %s", status, body)
			}
		})
	}
}

// What cannot be read is refused as each vendor does it.
func TestUnreadableUploads(t *testing.T) {
	_, url := serve(t, Options{})
	webm := recordedFile(t, "speech.webm")
	blip := append(streamedWAVHeader(44100), make([]byte, 4000)...)
	for _, tt := range []struct {
		name    string
		file    []byte
		message string
		code    any
	}{
		{"text", []byte("no audio at all"), "Invalid file format. Supported formats: ", nil},
		{"cut off", webm[:100], "The audio file could not be decoded or its format is not supported.", nil},
		{"a blip", blip, "Audio file is too short. Minimum audio length is 0.1 seconds.", "audio_too_short"},
	} {
		body, status := whisperText(t, url, tt.file)
		got := decode(t, body)
		if message, _ := at(got, "error", "message").(string); status != http.StatusBadRequest || !strings.HasPrefix(message, tt.message) || at(got, "error", "code") != tt.code {
			t.Errorf("OpenAI, %s: %d %s", tt.name, status, body)
		}
		if tt.code != nil {
			continue // Deepgram hears nothing in it and says so
		}
		if body, status := listenText(t, url, tt.file); status != http.StatusBadRequest || !strings.Contains(body, "corrupt or unsupported data") {
			t.Errorf("Deepgram, %s: %d %s", tt.name, status, body)
		}
	}
}

// Silence in WAV says nothing to either.
func TestSilentUploads(t *testing.T) {
	_, url := serve(t, Options{})
	silent := append(streamedWAVHeader(16000), make([]byte, 64000)...)
	if body, status := whisperText(t, url, silent); status != http.StatusOK || decode(t, body)["text"] != "" {
		t.Errorf("OpenAI: %d %s", status, body)
	}
	body, status := listenText(t, url, silent)
	if status != http.StatusOK || at(decode(t, body), "results", "channels", 0, "alternatives", 0, "transcript") != "" {
		t.Errorf("Deepgram: %d %s", status, body)
	}
}

// However long a recording claims to be, what is made up for it stays small.
func TestRecordedIsBounded(t *testing.T) {
	got, err := openRecorded(recordedFile(t, "speech.webm"))
	if err != nil {
		t.Fatal(err)
	}
	if made := length(len(got.pcm), got.rate); made < got.took || made > got.took+time.Second {
		t.Errorf("%v of talk for %v", made, got.took)
	}
	ogg := recordedFile(t, "vorbis.ogg")
	for range 6 {
		ogg = slices.Concat(ogg, ogg) // streams one after the other
	}
	got, err = openRecorded(ogg)
	if err != nil {
		t.Fatal(err)
	}
	if made := length(len(got.pcm), got.rate); got.took != 64*3500*time.Millisecond || made > longestTalk+time.Second {
		t.Errorf("%v of talk for %v", made, got.took)
	}
	if _, err := openRecorded(nil); !errors.Is(err, recording.ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
}
