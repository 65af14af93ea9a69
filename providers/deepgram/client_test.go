package deepgram_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"kalami/providers"
	"kalami/providers/deepgram"
)

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]deepgram.Options{
		"base URL":        {BaseURL: "deepgram.test"},
		"dial timeout":    {DialTimeout: -1},
		"write timeout":   {WriteTimeout: -1},
		"endpointing":     {EndpointingMS: -1},
		"utterance end":   {UtteranceEndMS: 500},
		"end threshold":   {EndThreshold: 0.95},
		"eager threshold": {EagerThreshold: 0.8, EndThreshold: 0.7},
	} {
		if _, err := deepgram.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	client, err := deepgram.New(deepgram.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []providers.ListenOptions{{SampleRate: 16000}, {Language: "en"}, {Language: "en", SampleRate: 96000}} {
		if _, err := client.Listen(t.Context(), o); providers.KindOf(err) != providers.Invalid {
			t.Errorf("%+v: %v, want invalid", o, err)
		}
	}
}

func TestHandshakeParameters(t *testing.T) {
	several := providers.ListenOptions{Language: "es-419", Hints: []string{"en", "el"}, SampleRate: 24000, Keyterms: []string{"mesa", "reservar"}}
	for _, test := range []struct {
		name   string
		opt    providers.ListenOptions
		change func(*deepgram.Options)
		path   string
		want   url.Values // these and no other values of these parameters; nil is absent
	}{
		{
			name: "flux for one of its languages", opt: providers.ListenOptions{Language: "es", SampleRate: 16000}, path: "/base/v2/listen",
			want: url.Values{
				"model": {"flux-general-multi"}, "language_hint": {"es"}, "encoding": {"linear16"}, "sample_rate": {"16000"},
				"eager_eot_threshold": {"0.4"}, "eot_threshold": {"0.7"}, "keyterm": nil, "language": nil, "interim_results": nil,
			},
		},
		{
			name: "flux for English alone", opt: english16k, path: "/base/v2/listen",
			change: func(o *deepgram.Options) { o.EagerThreshold = -1 },
			want:   url.Values{"model": {"flux-general-en"}, "language_hint": nil, "eager_eot_threshold": nil},
		},
		{
			name: "flux drops hints that it would refuse", opt: several, path: "/base/v2/listen",
			want: url.Values{"model": {"flux-general-multi"}, "language_hint": {"es", "en"}, "keyterm": {"mesa", "reservar"}, "sample_rate": {"24000"}},
		},
		{
			name: "nova for a language that flux lacks", opt: providers.ListenOptions{Language: "pl", SampleRate: 16000}, path: "/base/v1/listen",
			want: url.Values{
				"model": {"nova-3"}, "language": {"pl"}, "endpointing": {"300"}, "interim_results": {"true"}, "vad_events": {"true"},
				"utterance_end_ms": {"1000"}, "smart_format": {"true"}, "encoding": {"linear16"}, "sample_rate": {"16000"}, "language_hint": nil, "keyterm": nil,
			},
		},
		{
			name: "nova with several languages", opt: several, change: on(deepgram.Nova), path: "/base/v1/listen",
			want: url.Values{"language": {"multi"}, "language_hint": {"es-419", "en", "el"}, "endpointing": {"100"}, "keyterm": {"mesa", "reservar"}},
		},
		{
			name: "an older nova knows no key terms", opt: several, path: "/base/v1/listen",
			change: func(o *deepgram.Options) { on(deepgram.Nova)(o); o.NovaModel, o.EndpointingMS = "nova-2", 500 },
			want:   url.Values{"model": {"nova-2"}, "keyterm": nil, "endpointing": {"500"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var server scripted
				_ = open(t, scriptedClient(t, server.serve(nil, inOrder), test.change), test.opt).Close()
				r := server.requests[0]
				if r.URL.Path != test.path || r.Header.Get("Authorization") != "Token "+testKey {
					t.Errorf("path %q, authorization %q", r.URL.Path, r.Header.Get("Authorization"))
				}
				got := r.URL.Query()
				for name, want := range test.want {
					if !slices.Equal(got[name], want) {
						t.Errorf("%s is %q, want %q", name, got[name], want)
					}
				}
			})
		})
	}
}
