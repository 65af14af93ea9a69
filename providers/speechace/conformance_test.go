package speechace_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
	"kalami/providers/speechace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// speech is somebody who speaks, at 16 kHz.
func speech(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../simulate/testdata/en-01-clean.wav")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestConformance(t *testing.T) {
	providertest.Assessor(t, providertest.AssessorUnderTest{
		Vendor: simulate.SpeechAce,
		New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Assessor {
			a, err := speechace.New(speechace.Options{Key: at.Key, BaseURL: at.BaseURL, Timeout: 3 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(a.Close)
			return a
		},
		Recording: speech(t),
		Spent:     simulate.Fault{Kind: simulate.FaultStatus, Status: 200, Message: "error_quota_exceeded"},
	})
}
