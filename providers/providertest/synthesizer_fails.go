package providertest

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/simulate"
)

// Each refusal comes before the first byte, with its kind and the vendor's name for the
// call, so that another vendor can be asked.
func testSynthesizerRefused(t *testing.T, under SynthesizerUnderTest) {
	for _, tc := range []struct {
		fault simulate.Fault
		want  providers.Kind
	}{
		{simulate.Fault{Status: 401}, providers.Denied},
		{simulate.Fault{Status: 404}, providers.Invalid},
		{simulate.Fault{Status: 422}, providers.Invalid},
		{simulate.Fault{Status: 429, RetryAfter: 7}, providers.Overloaded},
		{simulate.Fault{Status: 500}, providers.Unavailable},
		{under.Spent, providers.Quota},
	} {
		t.Run(fmt.Sprint(tc.fault.Status, " ", tc.want), func(t *testing.T) {
			b := newSynthesizerBench(t, under)
			tc.fault.Kind = simulate.FaultStatus
			b.inject(tc.fault)
			_, err := b.Synthesize(t.Context(), english())
			e := vendorFailure(t, err, tc.want)
			if e.RequestID == "" || e.RetryAfter != time.Duration(tc.fault.RetryAfter)*time.Second {
				t.Errorf("request id %q, retry after %v, want %d s", e.RequestID, e.RetryAfter, tc.fault.RetryAfter)
			}
		})
	}
	t.Run("wrong key", func(t *testing.T) {
		b := newSynthesizerBenchWithKey(t, under, "sk-wrong-9876543210")
		_, err := b.Synthesize(t.Context(), english())
		vendorFailure(t, err, providers.Denied)
		if strings.Contains(err.Error(), "9876543210") {
			t.Error("the error shows the key")
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		client := under.New(t, VoiceEndpoint{BaseURL: "http://127.0.0.1:1", Key: simulatorKey})
		_, err := client.Synthesize(t.Context(), english())
		vendorFailure(t, err, providers.Unavailable)
	})
	t.Run("something else than sound", func(t *testing.T) {
		b := newSynthesizerBench(t, under)
		b.inject(simulate.Fault{Kind: simulate.FaultGarbage})
		_, err := b.Synthesize(t.Context(), english())
		vendorFailure(t, err, providers.Unavailable)
	})
}

// A clip that is cut is handed out so far, and then it is an error, never an end.
func testSynthesizerBreaks(t *testing.T, under SynthesizerUnderTest) {
	b := newSynthesizerBench(t, under)
	b.inject(simulate.Fault{Kind: simulate.FaultCut, After: 2})
	clip := b.say(t, english())
	mp3, err := io.ReadAll(clip)
	if e := vendorFailure(t, err, providers.Unavailable); e.RequestID == "" {
		t.Error("no request id")
	}
	if len(mp3) == 0 {
		t.Error("nothing of what came before the cut was handed out")
	}
	if _, again := clip.Read(make([]byte, 1)); again != err { //nolint:errorlint // the very same
		t.Errorf("read again it says %v", again)
	}
	// Cut before the first byte, it can still be answered by another vendor.
	b.inject(simulate.Fault{Kind: simulate.FaultCut})
	_, err = b.Synthesize(t.Context(), english())
	vendorFailure(t, err, providers.Unavailable)
}
