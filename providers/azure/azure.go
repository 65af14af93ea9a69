// Package azure judges pronunciation with Azure Speech, through its REST API for short
// audio with the header Pronunciation-Assessment.
//
// A request is one POST of the whole recording, a WAV of 16 kHz or Ogg with Opus; the text
// that was read and what is to be judged travel as JSON in base64 in that header. WAV of
// other rates is converted, other containers are not judged, and neither is what lasts
// longer than the 30 seconds that the vendor allows. The answer's scores stand either beside
// the words or in objects named PronunciationAssessment; both forms are in the vendor's own
// documents, and both are read.
//
// Taken from the vendor's published documents and not verified against the service: whether
// the REST API takes PhonemeAlphabet and NBestPhonemeCount, which its SDK documents (it
// ignores what it does not know; then sounds have SAPI names, or none outside English, and
// those are left out); the name of the header with the request's id; how long the header
// may be. A word counts as mispronounced when the vendor says so.
package azure

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kalami/providers"
)

// Vendor is the name in errors and logs.
const Vendor = "azure"

// DefaultTimeout of one assessment.
const DefaultTimeout = 8 * time.Second

const (
	longest   = 30 * time.Second // that the vendor judges
	maxAnswer = 4 << 20          // bytes: a few hundred for each sound of 30 seconds
)

// Options configure an [Assessor].
type Options struct {
	// Key of the Speech resource. Required.
	Key string
	// Region of the resource, such as "westeurope"; the address follows from it.
	Region string
	// BaseURL stands for the region's address where that is another; one of the two is
	// required.
	BaseURL string
	// Timeout of one assessment; 0 means [DefaultTimeout].
	Timeout time.Duration
	// Transport carries the requests; default an own [providers.NewTransport].
	Transport http.RoundTripper
}

// Assessor judges readings. Safe for concurrent use.
type Assessor struct {
	opt    Options
	client *http.Client
}

var _ providers.Assessor = (*Assessor)(nil)

// New returns an assessor, or an error naming the option that cannot be used. It makes no
// request.
func New(opt Options) (*Assessor, error) {
	if opt.Key == "" {
		return nil, errors.New("azure: key: is required")
	}
	if opt.BaseURL == "" {
		if opt.Region == "" || strings.Trim(opt.Region, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return nil, errors.New("azure: region: must be one of Azure's, in small letters")
		}
		opt.BaseURL = "https://" + opt.Region + ".stt.speech.microsoft.com"
	}
	if err := providers.CheckBaseURL(opt.BaseURL); err != nil {
		return nil, fmt.Errorf("azure: %w", err)
	}
	if opt.Timeout = cmp.Or(opt.Timeout, DefaultTimeout); opt.Timeout < 0 {
		return nil, errors.New("azure: timeout: must not be negative")
	}
	if opt.Transport == nil {
		opt.Transport = providers.NewTransport()
	}
	return &Assessor{opt: opt, client: &http.Client{Transport: opt.Transport,
		// A redirected request would carry the key to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Name implements [providers.Assessor].
func (a *Assessor) Name() string { return Vendor }

// Close frees idle connections.
func (a *Assessor) Close() { a.client.CloseIdleConnections() }

// Judges implements [providers.Assessor].
func (a *Assessor) Judges(r providers.Reading) bool {
	return locale(r.Language) != "" && (r.Format == providers.WAV || r.Format == providers.Ogg) &&
		r.Duration <= longest && strings.TrimSpace(r.Text) != ""
}

// locale is the vendor's name of a language: the learner's region where it is judged.
func locale(tag string) string {
	known := map[string][]string{
		"en": {"en-US", "en-GB", "en-AU", "en-CA", "en-IN"}, "es": {"es-ES", "es-MX"}, "fr": {"fr-FR", "fr-CA"},
		"de": {"de-DE"}, "it": {"it-IT"}, "pt": {"pt-BR", "pt-PT"}, "ja": {"ja-JP"}, "ko": {"ko-KR"},
		"zh": {"zh-CN", "zh-TW", "zh-HK"}, "ar": {"ar-SA", "ar-EG"}, "ru": {"ru-RU"},
	}
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	all := known[base]
	for _, l := range all {
		if strings.EqualFold(l, tag) {
			return l
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// parameters are the JSON of the header.
type parameters struct {
	ReferenceText           string
	GradingSystem           string
	Granularity             string
	Dimension               string
	EnableMiscue            string // the API wants words for truth
	EnableProsodyAssessment string
	PhonemeAlphabet         string
	NBestPhonemeCount       int
}

// Assess implements [providers.Assessor].
func (a *Assessor) Assess(ctx context.Context, r providers.Reading) (providers.Judgement, error) {
	if !a.Judges(r) {
		return providers.Judgement{}, failure(providers.Invalid, "not a reading that is judged", "", nil)
	}
	audio, mediaType, err := body(r.Recording)
	if err != nil {
		return providers.Judgement{}, failure(providers.Invalid, "the recording cannot be read", "", err)
	}
	call, dog := providers.Watch(ctx, a.opt.Timeout, "no assessment")
	defer dog.Stop()
	req, err := a.request(call, r, audio, mediaType)
	if err != nil {
		return providers.Judgement{}, failure(providers.Invalid, "no request can be made", "", err)
	}
	out, err := a.ask(req)
	switch late := dog.Expired(); {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return providers.Judgement{}, context.Cause(ctx)
	case late != nil:
		return providers.Judgement{}, failure(providers.Unavailable, "", "", late)
	}
	return providers.Judgement{}, err
}

// request lays one out.
func (a *Assessor) request(ctx context.Context, r providers.Reading, audio []byte, mediaType string) (*http.Request, error) {
	wanted, err := json.Marshal(parameters{
		ReferenceText: r.Text, GradingSystem: "HundredMark", Granularity: "Phoneme", Dimension: "Comprehensive",
		EnableMiscue: "True", EnableProsodyAssessment: "True", PhonemeAlphabet: "IPA", NBestPhonemeCount: 1,
	})
	if err != nil {
		return nil, err
	}
	q := url.Values{"language": {locale(r.Language)}, "format": {"detailed"}, "profanity": {"raw"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		strings.TrimSuffix(a.opt.BaseURL, "/")+"/speech/recognition/conversation/cognitiveservices/v1?"+q.Encode(), bytes.NewReader(audio))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Ocp-Apim-Subscription-Key", a.opt.Key)
	req.Header.Set("Pronunciation-Assessment", base64.StdEncoding.EncodeToString(wanted))
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// ask sends a request and reads the answer.
func (a *Assessor) ask(req *http.Request) (providers.Judgement, error) {
	resp, err := a.client.Do(req)
	if err != nil {
		return providers.Judgement{}, failure(providers.Unavailable, "", "", providers.NetworkCause(err))
	}
	defer resp.Body.Close()
	id := resp.Header.Get("X-RequestId")
	if resp.StatusCode != http.StatusOK {
		e := failure(providers.KindOfStatus(resp.StatusCode), providers.StatusDetail(resp.StatusCode), id, nil)
		e.RetryAfter = providers.RetryAfter(resp.Header)
		return providers.Judgement{}, e
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return providers.Judgement{}, failure(providers.Unavailable, "the answer broke off", id, providers.NetworkCause(err))
	}
	return read(raw, id)
}

// failure is a failure to judge.
func failure(kind providers.Kind, detail, id string, cause error) *providers.Error {
	return &providers.Error{Kind: kind, Vendor: Vendor, Op: "assess", Detail: detail, RequestID: id, Err: cause}
}
