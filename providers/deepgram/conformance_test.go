package deepgram_test

import (
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"

	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testKey  = "dg-test-key"
	english  = "I would like to book a table for two people at eight o'clock."
	cleanWAV = "../simulate/testdata/en-01-clean.wav"
	hesitant = "../simulate/testdata/en-02-hesitant.wav"
	noiseWAV = "../simulate/testdata/xx-01-noise-only.wav"
)

// samples reads a fixture's audio: the files have the plain header of 44 bytes.
func samples(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b[44:]
}

// simulated is a simulator on connections in memory and a client of it.
func simulated(t *testing.T, opt simulate.Options, change func(*deepgram.Options)) (*simulate.Server, *deepgram.Client) {
	t.Helper()
	opt.Key = testKey
	sim := simulate.New(opt)
	o := deepgram.Options{Key: testKey, BaseURL: "http://deepgram.test", HTTPClient: providertest.Serve(t, sim)}
	t.Cleanup(sim.Close)
	if change != nil {
		change(&o)
	}
	client, err := deepgram.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return sim, client
}

// on chooses one endpoint for every language.
func on(e deepgram.Endpoint) func(*deepgram.Options) {
	return func(o *deepgram.Options) { o.Endpoint = func(string) deepgram.Endpoint { return e } }
}

func TestConformance(t *testing.T) {
	for _, e := range []deepgram.Endpoint{deepgram.Nova, deepgram.Flux} {
		t.Run(e.String(), func(t *testing.T) {
			speech, noise := samples(t, cleanWAV), samples(t, noiseWAV)
			providertest.Recognizer(t, func(t *testing.T) providertest.RecognizerFixture {
				sim, client := simulated(t, simulate.Options{}, on(e))
				return providertest.RecognizerFixture{
					Recognizer: client,
					Options:    providers.ListenOptions{Language: "en", SampleRate: 16000},
					Speech:     speech, Text: english, Noise: noise,
					Fail: func(f providertest.RecognizerFailure) { sim.Inject(fault(f)) },
				}
			})
		})
	}
}

// fault says in the simulator's words what the suite asks for. Three messages into
// a stream, the learner is speaking.
func fault(f providertest.RecognizerFailure) simulate.Fault {
	out := simulate.Fault{Vendor: simulate.Deepgram, After: 3}
	switch f {
	case providertest.RefusedKey:
		out.Kind, out.Status = simulate.FaultStatus, http.StatusUnauthorized
	case providertest.RefusedBusy:
		out.Kind, out.Status = simulate.FaultStatus, http.StatusTooManyRequests
		out.RetryAfter = int(providertest.BusyWait.Seconds())
	case providertest.ClosedByVendor:
		out.Kind, out.Message = simulate.FaultClose, providertest.CloseReason
	case providertest.CutOff:
		out.Kind = simulate.FaultCut
	case providertest.Garbled:
		out.Kind = simulate.FaultGarbage
	case providertest.UnknownMessage:
		out.Kind = simulate.FaultUnknown
	case providertest.Stalled:
		out.Kind, out.After = simulate.FaultStall, 0
	}
	return out
}
