package anthropic_test

import (
	"testing"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/anthropic"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTutorConforms(t *testing.T) {
	providertest.Tutor(t, providertest.TutorUnderTest{
		Vendor:       simulate.Anthropic,
		SpentMessage: "enforced_spend_limit_reached",
		New: func(t *testing.T, at providertest.TutorEndpoint) providers.Tutor {
			tutor, err := anthropic.New(anthropic.Options{
				Key: at.Key, BaseURL: at.BaseURL,
				FirstTokenTimeout: at.FirstToken, StallTimeout: at.Stall,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tutor.Close)
			return tutor
		},
	})
}
