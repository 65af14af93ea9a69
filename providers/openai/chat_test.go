package openai_test

import (
	"testing"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTutorConforms(t *testing.T) {
	for _, legacy := range []bool{false, true} {
		providertest.Tutor(t, providertest.TutorUnderTest{
			Vendor:       simulate.OpenAI,
			SpentMessage: "insufficient_quota",
			New: func(t *testing.T, at providertest.TutorEndpoint) providers.Tutor {
				tutor, err := openai.NewTutor(openai.TutorOptions{
					Endpoint:          openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"},
					LegacyMaxTokens:   legacy,
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
}
