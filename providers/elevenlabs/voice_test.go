package elevenlabs_test

import (
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/elevenlabs"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestMain(m *testing.M) {
	http.DefaultTransport = elevenlabs.NewCarrier(http.DefaultTransport) // as the program does
	goleak.VerifyTestMain(m)
}

// fixture describes ElevenLabs as reached by socket or by HTTP.
func fixture(httpOnly bool) providertest.VoiceUnderTest {
	return providertest.VoiceUnderTest{
		Vendor: simulate.ElevenLabs, Socket: !httpOnly, Marks: true, Framed: true,
		Spent: simulate.Fault{Status: 401, Message: "quota_exceeded: This request exceeds your quota of 10000."},
		New: func(t *testing.T, at providertest.VoiceEndpoint) providers.Voice {
			return newClient(t, elevenlabs.Options{
				Key: at.Key, BaseURL: at.BaseURL, HTTPOnly: httpOnly,
				SlotWait: 20 * time.Second, // a loaded machine speaks slowly
			})
		},
	}
}

// newClient makes a client that is closed with the test.
func newClient(t testing.TB, opt elevenlabs.Options) *elevenlabs.Client {
	t.Helper()
	c, err := elevenlabs.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestSocketConforms(t *testing.T) {
	providertest.Voice(t, func() providertest.VoiceUnderTest { return fixture(false) })
}

func TestHTTPConforms(t *testing.T) {
	providertest.Voice(t, func() providertest.VoiceUnderTest { return fixture(true) })
}
