package deepgram_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/deepgram"
)

func TestRefusedHandshakes(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		header http.Header
		body   string
		kind   providers.Kind
		id     string
		detail string
	}{
		{"older body", 400, nil, `{"err_code":"INVALID_QUERY_PARAMETER","err_msg":"no such language","request_id":"b"}`, providers.Invalid, "b", "no such language"},
		{"newer body", 400, nil, `{"category":"INVALID","message":"no such model","details":"d","request_id":"c"}`, providers.Invalid, "c", "no such model"},
		{"headers come first", 403, http.Header{"Dg-Error": {"no right"}, "Dg-Request-Id": {"h"}}, `{"err_msg":"x","request_id":"b"}`, providers.Denied, "h", "no right"},
		{"no credit", 400, nil, `{"err_code":"ASR_PAYMENT_REQUIRED","err_msg":"pay"}`, providers.Quota, "", "pay"},
		{"a proxy's page", 502, nil, `<html>bad gateway</html>`, providers.Unavailable, "", "502"},
		{"a redirect is not followed", 302, http.Header{"Location": {"https://elsewhere.test/"}}, ``, providers.Unavailable, "", "302"},
		{"a learner's words are not repeated", 400, http.Header{"Dg-Error": {"keyterm Geheimnis"}}, `{"err_code":"BAD"}`, providers.Invalid, "", "BAD"},
		{"a long explanation is cut", 400, http.Header{"Dg-Error": {strings.Repeat("é", 500)}}, ``, providers.Invalid, "", "é…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, v := range test.header {
					w.Header()[name] = v
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer web.Close()
			client, err := deepgram.New(deepgram.Options{Key: testKey, BaseURL: web.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Listen(t.Context(), providers.ListenOptions{Language: "de", SampleRate: 16000, Keyterms: []string{"Geheimnis"}})
			e, ok := errors.AsType[*providers.Error](err)
			if !ok {
				t.Fatalf("Listen: %v", err)
			}
			if e.Kind != test.kind || e.RequestID != test.id || !strings.Contains(e.Detail, test.detail) {
				t.Errorf("got %v, id %q, %q", e.Kind, e.RequestID, e.Detail)
			}
			if strings.Contains(err.Error(), "Geheimnis") || strings.Contains(err.Error(), testKey) {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

func TestVendorThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := make(chan struct{})
		client := scriptedClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-mute }), nil)
		defer close(mute)
		begun := time.Now()
		if _, err := client.Listen(t.Context(), english16k); providers.KindOf(err) != providers.Unavailable || time.Since(begun) != 5*time.Second {
			t.Errorf("Listen: %v after %v, want unavailable after the dial timeout", err, time.Since(begun))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.Listen(ctx, english16k); !errors.Is(err, context.DeadlineExceeded) || providers.KindOf(err) != 0 {
			t.Errorf("Listen: %v, want the context's end", err)
		}
	})
}

func TestVendorThatCannotBeReached(t *testing.T) {
	client, err := deepgram.New(deepgram.Options{Key: testKey, BaseURL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Listen(t.Context(), providers.ListenOptions{Language: "en", SampleRate: 16000, Keyterms: []string{"Geheimnis"}})
	if providers.KindOf(err) != providers.Unavailable || strings.Contains(err.Error(), "Geheimnis") {
		t.Errorf("Listen: %v, want unavailable without the learner's words", err)
	}
}
