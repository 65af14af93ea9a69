package azure_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/azure"
	"kalami/providers/recording"
)

// service answers every request with a body, and keeps the last request.
type service struct {
	*azure.Assessor
	asked  *http.Request
	body   []byte
	answer string
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{answer: `{"RecognitionStatus":"Success","NBest":[{"AccuracyScore":1}]}`}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = r
		s.body, _ = io.ReadAll(r.Body)
		w.Header().Set("X-RequestId", "r-1")
		_, _ = io.WriteString(w, s.answer)
	}))
	t.Cleanup(web.Close)
	a, err := azure.New(azure.Options{Key: "k", Region: "westeurope", BaseURL: web.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	s.Assessor = a
	return s
}

// file is a WAV of a tone, a tenth of a second long.
func file(rate int) []byte {
	le := binary.LittleEndian
	n := rate / 10
	b := append([]byte("RIFF"), le.AppendUint32(nil, uint32(36+2*n))...)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"...)
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(2*rate))
	b = append(b, "\x02\x00\x10\x00data"...)
	b = le.AppendUint32(b, uint32(2*n))
	for i := range n {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*400*float64(i)/float64(rate)))))
	}
	return b
}

// The request is what the vendor's documents ask for, whatever rate was recorded at.
func TestRequest(t *testing.T) {
	s := newService(t)
	for _, rate := range []int{8000, 16000, 44100, 48000} {
		_, err := s.Assess(t.Context(), providers.Reading{Text: "Buenos días, señor.", Duration: 100 * time.Millisecond,
			Recording: providers.Recording{Audio: file(rate), Format: providers.WAV, Language: "es-mx"}})
		if err != nil {
			t.Fatal(err)
		}
		info, err := recording.Inspect(s.body)
		if err != nil || info.SampleRate != 16000 || info.Channels != 1 || info.Duration.Round(time.Millisecond) != 100*time.Millisecond {
			t.Errorf("from %d Hz: %+v, %v", rate, info, err)
		}
		if pcm, err := recording.Samples(s.body); err != nil || crossings(pcm) < 78 || crossings(pcm) > 82 { // 400 Hz for 100 ms
			t.Errorf("from %d Hz: %d crossings, %v", rate, crossings(pcm), err)
		}
	}
	q, h := s.asked.URL.Query(), s.asked.Header
	if s.asked.URL.Path != "/speech/recognition/conversation/cognitiveservices/v1" || q.Get("language") != "es-MX" || q.Get("format") != "detailed" {
		t.Errorf("asked for %s", s.asked.URL)
	}
	if h.Get("Ocp-Apim-Subscription-Key") != "k" || h.Get("Content-Type") != "audio/wav; codecs=audio/pcm; samplerate=16000" || h.Get("Accept") != "application/json" {
		t.Errorf("headers %v", h)
	}
	raw, err := base64.StdEncoding.DecodeString(h.Get("Pronunciation-Assessment"))
	if err != nil {
		t.Fatal(err)
	}
	var wanted map[string]any
	if err := json.Unmarshal(raw, &wanted); err != nil || wanted["ReferenceText"] != "Buenos días, señor." || wanted["EnableMiscue"] != "True" {
		t.Errorf("%s, %v", raw, err)
	}
}

func crossings(pcm []int16) (n int) {
	for i := 1; i < len(pcm); i++ {
		if (pcm[i-1] < 0) != (pcm[i] < 0) {
			n++
		}
	}
	return n
}

// The answer that the vendor's page on the REST API shows, and the form of its SDK, say the
// same; a word that was left out has no accuracy, one that was added is marked.
func TestAnswers(t *testing.T) {
	for form, answer := range map[string]string{
		"beside the words": `{"RecognitionStatus":"Success","Offset":700000,"Duration":8400000,"DisplayText":"Good morning.","SNR":38.76819,"NBest":[
			{"Confidence":0.98,"Lexical":"good uh","AccuracyScore":81.5,"FluencyScore":99,"ProsodyScore":87.8,"CompletenessScore":50,"PronScore":70,
			"Words":[{"Word":"good","Offset":700000,"AccuracyScore":81.5,"ErrorType":"Mispronunciation","Feedback":{"Prosody":{}},
				"Phonemes":[{"Phoneme":"g","AccuracyScore":40,"NBestPhonemes":[{"Phoneme":"k","Score":100}]},{"Phoneme":"","AccuracyScore":99}]},
			{"Word":"uh","AccuracyScore":0,"ErrorType":"Insertion"},{"Word":"morning","AccuracyScore":0,"ErrorType":"Omission"}]}]}`,
		"in objects": `{"RecognitionStatus":"Success","NBest":[{"PronunciationAssessment":
			{"AccuracyScore":81.5,"FluencyScore":99,"ProsodyScore":87.8,"CompletenessScore":50,"PronScore":70},
			"Words":[{"Word":"good","PronunciationAssessment":{"AccuracyScore":81.5,"ErrorType":"Mispronunciation"},"Syllables":[],
				"Phonemes":[{"Phoneme":"g","PronunciationAssessment":{"AccuracyScore":40,"NBestPhonemes":[{"Phoneme":"k","Score":100}]}}]},
			{"Word":"uh","PronunciationAssessment":{"AccuracyScore":0,"ErrorType":"Insertion"}},
			{"Word":"morning","PronunciationAssessment":{"AccuracyScore":0,"ErrorType":"Omission"}}]}]}`,
	} {
		s := newService(t)
		s.answer = answer
		j, err := s.Assess(t.Context(), reading())
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(j)
		if err != nil {
			t.Fatal(err)
		}
		const want = `{"Overall":70,"Accuracy":81.5,"Completeness":50,"Fluency":99,"Prosody":87.8,"Words":[` +
			`{"Text":"good","Accuracy":81.5,"Omitted":false,"Added":false,"Mispronounced":true,"Phonemes":[{"Symbol":"g","Alphabet":"ipa","Accuracy":40,"HeardAs":"k"}]},` +
			`{"Text":"uh","Accuracy":0,"Omitted":false,"Added":true,"Mispronounced":false,"Phonemes":null},` +
			`{"Text":"morning","Accuracy":null,"Omitted":true,"Added":false,"Mispronounced":false,"Phonemes":null}],"Model":"","RequestID":"r-1"}`
		if string(got) != want {
			t.Errorf("%s: %s", form, got)
		}
	}
}

func reading() providers.Reading {
	return providers.Reading{Text: "Good morning", Recording: providers.Recording{Audio: file(16000), Format: providers.WAV, Language: "en"}}
}

// An answer without an assessment is a failure of the vendor's, one in which nothing was
// heard is the recording's; either names the call.
func TestNoAssessment(t *testing.T) {
	for answer, want := range map[string]providers.Kind{
		`{"RecognitionStatus":"NoMatch"}`:                            providers.Invalid,
		`{"RecognitionStatus":"BabbleTimeout"}`:                      providers.Invalid,
		`{"RecognitionStatus":"Error"}`:                              providers.Unavailable,
		`{"RecognitionStatus":"Success"}`:                            providers.Unavailable,
		`{"RecognitionStatus":"Success","NBest":[{"Lexical":"hi"}]}`: providers.Unavailable,
		`[]`: providers.Unavailable,
	} {
		s := newService(t)
		s.answer = answer
		if _, err := s.Assess(t.Context(), reading()); providers.KindOf(err) != want || !strings.Contains(err.Error(), "r-1") {
			t.Errorf("%s: %v, want %v", answer, err, want)
		}
	}
}

// Options that cannot be used are named; a region makes an address.
func TestOptions(t *testing.T) {
	for want, opt := range map[string]azure.Options{
		"key":      {Region: "westeurope"},
		"region":   {Key: "k", Region: "west europe"},
		"base URL": {Key: "k", BaseURL: "westeurope"},
		"timeout":  {Key: "k", Region: "westeurope", Timeout: -1},
	} {
		if _, err := azure.New(opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one about the %s", err, want)
		}
	}
	a, err := azure.New(azure.Options{Key: "k", Region: "westeurope"})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	r := reading()
	if r.Format = providers.M4A; a.Judges(r) {
		t.Error("it judges M4A")
	}
	if r.Format = providers.Ogg; !a.Judges(r) {
		t.Error("it does not judge Ogg")
	}
}

// FuzzAnswer: no answer brings the client down.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"RecognitionStatus":"Success","NBest":[{"AccuracyScore":1,"Words":[{"Phonemes":[{}]}]}]}`)
	f.Fuzz(func(t *testing.T, answer string) {
		if j, err := azure.Read([]byte(answer)); err == nil && j.Accuracy == nil {
			t.Error("a judgement without accuracy")
		}
	})
}
