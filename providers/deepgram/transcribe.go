package deepgram

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	sdkanswer "github.com/deepgram/deepgram-go-sdk/v3/pkg/api/listen/v1/rest/interfaces"
	sdkcommon "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/common/v1"
	sdk "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/interfaces"
	sdkv1 "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/interfaces/v1"
	sdklisten "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/listen/v1/rest"
	sdkrest "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/rest/v1"

	"kalami/providers"
)

// Defaults of [Transcriber].
const (
	DefaultTranscribeModel   = "nova-3"
	DefaultTranscribeTimeout = 30 * time.Second
)

// maxTranscript bounds an answer, in bytes: some 200 for each word of an hour.
const maxTranscript = 8 << 20

// TranscriberOptions configure a [Transcriber]. Zero values stand for the defaults named.
type TranscriberOptions struct {
	// Key is the account's API key. Empty sends none, for a local server that wants none.
	Key string
	// BaseURL is http://… or https://…, with a path when there is one before
	// /v1/listen. Default https://api.deepgram.com.
	BaseURL string
	// Model's name; default [DefaultTranscribeModel].
	Model string
	// Timeout of one recording; default [DefaultTranscribeTimeout].
	Timeout time.Duration
	// Transport carries the requests; default an own [providers.NewTransport].
	Transport http.RoundTripper
}

// Transcriber hears recordings through POST /v1/listen. Safe for concurrent use.
//
// It uses the vendor's own Go package, built from its parts rather than by its
// constructor, which reads keys and hosts from the environment. That package parses no
// error body but a 400's, keeps the request id of none, sends no Content-Type, and reads
// answers of any size; the transport underneath it makes up for all four.
type Transcriber struct {
	opt       TranscriberOptions
	client    *sdklisten.Client
	transport *recordedTransport
}

var _ providers.Transcriber = (*Transcriber)(nil)

// NewTranscriber returns a transcriber, or an error naming the option that cannot be
// used. It makes no request.
func NewTranscriber(opt TranscriberOptions) (*Transcriber, error) {
	opt.BaseURL = cmp.Or(opt.BaseURL, "https://api.deepgram.com")
	opt.Model = cmp.Or(opt.Model, DefaultTranscribeModel)
	if opt.Timeout = cmp.Or(opt.Timeout, DefaultTranscribeTimeout); opt.Timeout < 0 {
		return nil, errors.New("deepgram: timeout: must not be negative")
	}
	if err := providers.CheckBaseURL(opt.BaseURL); err != nil {
		return nil, fmt.Errorf("deepgram: %w", err)
	}
	base, err := url.Parse(opt.BaseURL)
	if err != nil {
		return nil, errors.New("deepgram: base URL: cannot be parsed")
	}
	if opt.Transport == nil {
		opt.Transport = providers.NewTransport()
	}
	t := &Transcriber{opt: opt, transport: &recordedTransport{next: opt.Transport, keyless: opt.Key == ""}}
	t.client = &sdklisten.Client{RESTClient: &sdkcommon.RESTClient{Client: &sdkrest.Client{
		HTTPClient: &sdkrest.HTTPClient{
			Client: http.Client{
				Transport: t.transport,
				// A redirected request would carry the key to wherever it points.
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			},
			UserAgent: "kalami",
		},
		Options: &sdk.ClientOptions{
			APIKey: opt.Key,
			Host:   base.Scheme + "://" + base.Host,
			// That package drops a path in Host; what it calls the version begins the path.
			APIVersion: strings.Trim(base.Path+"/v1", "/"),
		},
	}}}
	return t, nil
}

// Name implements [providers.Transcriber].
func (t *Transcriber) Name() string { return vendor }

// Close frees idle connections.
func (t *Transcriber) Close() { (&http.Client{Transport: t.opt.Transport}).CloseIdleConnections() }

// Transcribe implements [providers.Transcriber].
func (t *Transcriber) Transcribe(ctx context.Context, rec providers.Recording) (providers.Transcript, error) {
	switch {
	case len(rec.Audio) == 0:
		return providers.Transcript{}, unheard(providers.Invalid, "the recording is empty", nil)
	case len(rec.Audio) > providers.MaxRecording:
		return providers.Transcript{}, unheard(providers.Invalid, "the recording is larger than 25 MiB", nil)
	}
	options := &sdk.PreRecordedTranscriptionOptions{Model: t.opt.Model, SmartFormat: !rec.Verbatim, Language: base(rec.Language)}
	options.FillerWords = rec.Verbatim && options.Language == "en" // the only language that has them
	options.DetectLanguage = options.Language == ""
	call, dog := providers.Watch(ctx, t.opt.Timeout, "no transcript")
	defer dog.Stop()
	call = sdkv1.WithCustomHeaders(call, http.Header{"Content-Type": {mediaType(rec.Format)}})
	var answer sdkanswer.PreRecordedResponse
	err := t.client.DoStream(call, bytes.NewReader(rec.Audio), options, &answer)
	if err == nil {
		return t.transcript(rec, answer)
	}
	switch late := dog.Expired(); {
	case ctx.Err() != nil:
		return providers.Transcript{}, context.Cause(ctx)
	case late != nil:
		return providers.Transcript{}, unheard(providers.Unavailable, "", late)
	}
	if refused, ok := errors.AsType[*providers.Error](err); ok {
		return providers.Transcript{}, refused
	}
	return providers.Transcript{}, unheard(providers.Unavailable, "no usable answer", providers.NetworkCause(err))
}

// unheard is a failure to hear a recording.
func unheard(kind providers.Kind, detail string, cause error) *providers.Error {
	return &providers.Error{Kind: kind, Vendor: vendor, Op: "transcribe", Detail: detail, Err: cause}
}

// mediaType is the Content-Type of a recording.
func mediaType(f providers.AudioFormat) string {
	switch f {
	case providers.WAV:
		return "audio/wav"
	case providers.MP3:
		return "audio/mpeg"
	case providers.WebM:
		return "audio/webm"
	case providers.M4A:
		return "audio/mp4"
	case providers.Ogg:
		return "audio/ogg"
	}
	return "application/octet-stream"
}

// transcript makes the result of an answer.
func (t *Transcriber) transcript(rec providers.Recording, a sdkanswer.PreRecordedResponse) (providers.Transcript, error) {
	out := providers.Transcript{Model: t.opt.Model, Language: base(rec.Language), Vendor: vendor}
	out.Fillers = rec.Verbatim && out.Language == "en"
	if a.Metadata != nil {
		out.RequestID = a.Metadata.RequestID
		out.Duration = span(a.Metadata.Duration)
	}
	if a.Results == nil || len(a.Results.Channels) == 0 || len(a.Results.Channels[0].Alternatives) == 0 {
		e := unheard(providers.Unavailable, "the answer has no transcript", nil)
		e.RequestID = out.RequestID
		return providers.Transcript{}, e
	}
	heard := a.Results.Channels[0]
	best := heard.Alternatives[0]
	if heard.DetectedLanguage != "" {
		out.Language = base(heard.DetectedLanguage)
	}
	out.Text = strings.TrimSpace(best.Transcript)
	if out.Text == "" {
		return out, nil
	}
	out.Confidence = min(max(best.Confidence, 0), 1)
	for _, w := range best.Words {
		out.Words = append(out.Words, providers.Word{
			Text: cmp.Or(w.PunctuatedWord, w.Word), Confidence: w.Confidence, Language: base(w.Language),
			StartMS: int(span(w.Start).Milliseconds()), EndMS: int(span(w.End).Milliseconds()),
		})
	}
	return out, nil
}

// span converts a vendor's seconds, which may be anything, to a duration of at most a day.
func span(seconds float64) time.Duration {
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, 86400) * float64(time.Second))
}

// recordedTransport carries the requests of the vendor's package. An answer that is no
// success it returns as an error, against the custom of transports: the package above
// it would throw away what the error needs.
type recordedTransport struct {
	next    http.RoundTripper
	keyless bool
}

// RoundTrip implements [http.RoundTripper].
func (t *recordedTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.keyless {
		req = req.Clone(req.Context())
		req.Header.Del("Authorization")
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, refused("transcribe", resp, nil)
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxTranscript), resp.Body}
	return resp, nil
}
