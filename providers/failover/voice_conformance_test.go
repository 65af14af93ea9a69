package failover_test

import (
	"testing"
	"time"

	"kalami/providers"
	"kalami/providers/elevenlabs"
	"kalami/providers/failover"
	"kalami/providers/openai"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// chosen is a choice of one voice, which is closed with the test.
func chosen(t *testing.T, v providers.Voice, free func()) providers.Voice {
	choice := failover.NewVoice(failover.Options{}, v)
	t.Cleanup(func() {
		choice.Close()
		free()
	})
	return choice
}

// A failover over one voice is that voice, but for its second attempt.
func TestVoiceConforms(t *testing.T) {
	t.Run("elevenlabs", func(t *testing.T) {
		providertest.Voice(t, func() providertest.VoiceUnderTest {
			return providertest.VoiceUnderTest{Vendor: simulate.ElevenLabs, Restarts: 1, Socket: true, Marks: true, Framed: true,
				Spent: simulate.Fault{Status: 401, Message: "quota_exceeded: This request exceeds your quota of 10000."},
				New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Voice {
					c, err := elevenlabs.New(elevenlabs.Options{Key: at.Key, BaseURL: at.BaseURL, SlotWait: 20 * time.Second})
					if err != nil {
						t.Fatal(err)
					}
					return chosen(t, c, c.Close)
				}}
		})
	})
	t.Run("openai", func(t *testing.T) {
		providertest.Voice(t, func() providertest.VoiceUnderTest {
			return providertest.VoiceUnderTest{Vendor: simulate.OpenAI, Restarts: 1,
				Spent: simulate.Fault{Kind: simulate.FaultStatus, Status: 429, Message: "insufficient_quota"},
				New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Voice {
					v, err := openai.NewVoice(openai.VoiceOptions{Endpoint: openai.Endpoint{Key: at.Key, BaseURL: at.BaseURL + "/v1"}})
					if err != nil {
						t.Fatal(err)
					}
					return chosen(t, v, v.Close)
				}}
		})
	})
}
