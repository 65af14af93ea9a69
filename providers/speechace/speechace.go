// Package speechace judges pronunciation with SpeechAce, through POST
// /api/scoring/text/v9/json.
//
// A request is a form with the text and the recording, in whatever container it came; key and
// dialect stand in the query, as the vendor wants it, so addresses are never put into errors
// or logs. English, French and Spanish are judged, up to 45 seconds. The learner's id is not
// sent.
//
// Taken from the vendor's published documents and not verified against the service: the
// names of errors beside those that the documents show (one whose name speaks of the key is
// Denied, one that speaks of a quota or limit is Quota, the rest are the request's fault);
// the HTTP status that errors come with, so both a status and an error in a 200 are read;
// where the fluency score stands. Names of sounds are ARPABET in English; those of other
// languages are passed on as the vendor's own. The vendor calls no word mispronounced: here
// it is one whose quality is below 60 of 100, a threshold of ours.
package speechace

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kalami/providers"
)

// Vendor is the name in errors and logs.
const Vendor = "speechace"

// DefaultTimeout of one assessment.
const DefaultTimeout = 8 * time.Second

const (
	longest   = 45 * time.Second // that the vendor judges
	largest   = 2_500_000        // bytes
	poor      = 60               // of 100: a word below it is mispronounced
	maxAnswer = 4 << 20          // bytes
)

// Options configure an [Assessor].
type Options struct {
	// Key of the account. Required.
	Key string
	// BaseURL is the address of the key's region. Default https://api.speechace.co.
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
		return nil, errors.New("speechace: key: is required")
	}
	opt.BaseURL = cmp.Or(opt.BaseURL, "https://api.speechace.co")
	if err := providers.CheckBaseURL(opt.BaseURL); err != nil {
		return nil, fmt.Errorf("speechace: %w", err)
	}
	if opt.Timeout = cmp.Or(opt.Timeout, DefaultTimeout); opt.Timeout < 0 {
		return nil, errors.New("speechace: timeout: must not be negative")
	}
	if opt.Transport == nil {
		opt.Transport = providers.NewTransport()
	}
	return &Assessor{opt: opt, client: &http.Client{Transport: opt.Transport,
		// A redirected request would carry the learner's voice to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// Name implements [providers.Assessor].
func (a *Assessor) Name() string { return Vendor }

// Close frees idle connections.
func (a *Assessor) Close() { a.client.CloseIdleConnections() }

// Judges implements [providers.Assessor].
func (a *Assessor) Judges(r providers.Reading) bool {
	return dialect(r.Language) != "" && r.Duration <= longest && len(r.Audio) <= largest && strings.TrimSpace(r.Text) != ""
}

// dialect is the vendor's name of a language.
func dialect(tag string) string {
	tag = strings.ToLower(tag)
	switch tag {
	case "en-us", "en-gb", "fr-fr", "fr-ca", "es-es", "es-mx":
		return tag
	}
	switch base, _, _ := strings.Cut(tag, "-"); base {
	case "en":
		return "en-us"
	case "fr":
		return "fr-fr"
	case "es":
		return "es-es"
	}
	return ""
}

// Assess implements [providers.Assessor].
func (a *Assessor) Assess(ctx context.Context, r providers.Reading) (providers.Judgement, error) {
	if !a.Judges(r) || len(r.Audio) == 0 {
		return providers.Judgement{}, failure(providers.Invalid, "not a reading that is judged", nil)
	}
	call, dog := providers.Watch(ctx, a.opt.Timeout, "no assessment")
	defer dog.Stop()
	req, err := a.request(call, r)
	if err != nil {
		return providers.Judgement{}, failure(providers.Invalid, "no request can be made", providers.NetworkCause(err))
	}
	out, err := a.ask(req, r)
	switch late := dog.Expired(); {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return providers.Judgement{}, context.Cause(ctx)
	case late != nil:
		return providers.Judgement{}, failure(providers.Unavailable, "", late)
	}
	return providers.Judgement{}, err
}

// request lays one out.
func (a *Assessor) request(ctx context.Context, r providers.Reading) (*http.Request, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, field := range [][2]string{{"text", strings.Join(strings.Fields(r.Text), " ")}, {"include_fluency", "1"}, {"include_unknown_words", "1"}} {
		if err := w.WriteField(field[0], field[1]); err != nil {
			return nil, err
		}
	}
	file, err := w.CreateFormFile("user_audio_file", "reading."+string(cmp.Or(r.Format, providers.WAV)))
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(r.Audio); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	q := url.Values{"key": {a.opt.Key}, "dialect": {dialect(r.Language)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(a.opt.BaseURL, "/")+"/api/scoring/text/v9/json?"+q.Encode(), &form)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// ask sends a request and reads the answer.
func (a *Assessor) ask(req *http.Request, r providers.Reading) (providers.Judgement, error) {
	resp, err := a.client.Do(req)
	if err != nil {
		return providers.Judgement{}, failure(providers.Unavailable, "", providers.NetworkCause(err))
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return providers.Judgement{}, failure(providers.Unavailable, "the answer broke off", providers.NetworkCause(err))
	}
	if resp.StatusCode != http.StatusOK {
		var said answer
		_ = json.Unmarshal(raw, &said) // the status says enough without
		e := failure(providers.KindOfStatus(resp.StatusCode), providers.StatusDetail(resp.StatusCode, said.ShortMessage), nil)
		e.RetryAfter = providers.RetryAfter(resp.Header)
		return providers.Judgement{}, e
	}
	return read(raw, r.Language)
}

// failure is a failure to judge.
func failure(kind providers.Kind, detail string, cause error) *providers.Error {
	return &providers.Error{Kind: kind, Vendor: Vendor, Op: "assess", Detail: detail, Err: cause}
}
