package openai_test

import (
	"testing"

	"kalami/providers"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestVoiceConforms(t *testing.T) {
	providertest.Voice(t, func() providertest.VoiceUnderTest {
		return providertest.VoiceUnderTest{
			Vendor: simulate.OpenAI,
			Spent:  simulate.Fault{Kind: simulate.FaultStatus, Status: 429, Message: "insufficient_quota"},
			New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Voice {
				return newVoice(t, openai.VoiceOptions{Endpoint: openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"}})
			},
		}
	})
}
