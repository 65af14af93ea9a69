package azure_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/azure"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
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
		Vendor: simulate.Azure,
		New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Assessor {
			a, err := azure.New(azure.Options{Key: at.Key, BaseURL: at.BaseURL, Timeout: 3 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(a.Close)
			return a
		},
		Recording: speech(t),
		Spent:     simulate.Fault{Kind: simulate.FaultStatus, Status: 402},
	})
}
