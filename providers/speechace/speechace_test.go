package speechace_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kalami/providers"
	"kalami/providers/speechace"
)

// ask sends a reading to a service that answers so, and returns what it was asked.
func ask(t *testing.T, status int, answer string, r providers.Reading) (providers.Judgement, *http.Request, error) {
	t.Helper()
	var asked *http.Request
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			t.Errorf("not a form: %v", err)
		}
		asked = r
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer web.Close()
	a, err := speechace.New(speechace.Options{Key: "k&y", BaseURL: web.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	j, err := a.Assess(t.Context(), r)
	return j, asked, err
}

func reading(language string) providers.Reading {
	return providers.Reading{Text: "apple\n pie", Recording: providers.Recording{Audio: []byte("audio"), Format: providers.WebM, Language: language}}
}

// The request is what the vendor's documents ask for; the answer is read as they show it.
func TestDocumentedAnswer(t *testing.T) {
	const answer = `{"status":"success","quota_remaining":-1,"text_score":{"text":"apple pie","word_score_list":[
		{"word":"apple","quality_score":97.5,"phone_score_list":[
			{"phone":"ae","stress_level":1,"extent":[12,27],"quality_score":98.5,"stress_score":100,"predicted_stress_level":1,"word_extent":[0,1],"sound_most_like":"ae"},
			{"phone":"p","stress_level":null,"extent":[27,42],"quality_score":35,"sound_most_like":null,"child_phones":[{"extent":[27,30],"quality_score":35,"sound_most_like":"b"}]}],
		"syllable_score_list":[{"phone_count":1,"letters":"ap","quality_score":100}]},
		{"word":"pie","quality_score":41,"ending_punctuation":"!","phone_score_list":[]}],
		"fluency":{"overall_metrics":{"speechace_score":{"pronunciation":70,"fluency":88}}},
		"ielts_score":{"pronunciation":9},"pte_score":{"pronunciation":90},"speechace_score":{"pronunciation":70}},"version":"9.3"}`
	j, asked, err := ask(t, 200, answer, reading("en-GB"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"Overall":70,"Accuracy":70,"Completeness":null,"Fluency":88,"Prosody":null,"Words":[` +
		`{"Text":"apple","Accuracy":97.5,"Omitted":false,"Added":false,"Mispronounced":false,"Phonemes":[` +
		`{"Symbol":"ae","Alphabet":"arpabet","Accuracy":98.5,"HeardAs":"ae"},{"Symbol":"p","Alphabet":"arpabet","Accuracy":35,"HeardAs":""}]},` +
		`{"Text":"pie","Accuracy":41,"Omitted":false,"Added":false,"Mispronounced":true,"Phonemes":null}],"Model":"9.3","RequestID":""}`
	if string(got) != want {
		t.Errorf("%s", got)
	}
	q := asked.URL.Query()
	if asked.URL.Path != "/api/scoring/text/v9/json" || q.Get("key") != "k&y" || q.Get("dialect") != "en-gb" || len(q) != 2 {
		t.Errorf("asked for %s", asked.URL)
	}
	if asked.FormValue("text") != "apple pie" || asked.FormValue("include_fluency") != "1" {
		t.Errorf("form %v", asked.Form)
	}
	if _, file, err := asked.FormFile("user_audio_file"); err != nil || file.Filename != "reading.webm" || file.Size != 5 {
		t.Errorf("file %+v, %v", file, err)
	}
}

// Errors come in a 200, or with a status; their names say whose they are.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status int
		answer string
		want   providers.Kind
	}{
		{200, `{"status":"error","short_message":"non_dialect_language_detected","detail_message":"…","version":"9.9"}`, providers.Invalid},
		{200, `{"status":"error","short_message":"error_key_expired"}`, providers.Denied},
		{200, `{"status":"error","short_message":"error_internal"}`, providers.Unavailable},
		{200, `{"status":"success","text_score":{}}`, providers.Unavailable},
		{200, `{}`, providers.Unavailable},
		{413, `nginx`, providers.Invalid},
		{502, ``, providers.Unavailable},
	} {
		if _, _, err := ask(t, c.status, c.answer, reading("fr")); providers.KindOf(err) != c.want {
			t.Errorf("%d %s: %v, want %v", c.status, c.answer, err, c.want)
		}
	}
}

// Options that cannot be used are named.
func TestOptions(t *testing.T) {
	for want, opt := range map[string]speechace.Options{
		"key":      {},
		"base URL": {Key: "k", BaseURL: "api.speechace.co"},
		"timeout":  {Key: "k", Timeout: -1},
	} {
		if _, err := speechace.New(opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one about the %s", err, want)
		}
	}
}

// FuzzAnswer: no answer brings the client down.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"status":"success","text_score":{"word_score_list":[{"phone_score_list":[{}]}],"speechace_score":{"pronunciation":1}}}`)
	f.Fuzz(func(t *testing.T, answer string) {
		if j, err := speechace.Read([]byte(answer)); err == nil && j.Accuracy == nil {
			t.Error("a judgement without accuracy")
		}
	})
}
