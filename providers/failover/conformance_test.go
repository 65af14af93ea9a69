package failover_test

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"kalami/providers"
	"kalami/providers/deepgram"
	"kalami/providers/failover"
	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// samples reads a fixture's audio: the files have the plain header of 44 bytes.
func samples(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("../simulate/testdata/" + name + ".wav")
	if err != nil {
		t.Fatal(err)
	}
	return b[44:]
}

const english = "I would like to book a table for two people at eight o'clock."

// simulated is a client of one of Deepgram's endpoints and the simulator that serves it.
func simulated(t *testing.T, e deepgram.Endpoint) (*simulate.Server, providers.Recognizer) {
	t.Helper()
	sim := simulate.New(simulate.Options{Key: key})
	client, err := deepgram.New(deepgram.Options{Key: key, BaseURL: "http://deepgram.test", HTTPClient: providertest.Serve(t, sim),
		Endpoint: func(string) deepgram.Endpoint { return e }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim, client
}

const key = "a-test-key"

// A recogniser over one vendor is as good as the vendor's. What goes wrong with a stream
// must go on going wrong, since the vendor is asked again.
func TestRecognizerConforms(t *testing.T) {
	for _, e := range []deepgram.Endpoint{deepgram.Nova, deepgram.Flux} {
		t.Run(e.String(), func(t *testing.T) {
			speech, noise := samples(t, "en-01-clean"), samples(t, "xx-01-noise-only")
			providertest.Recognizer(t, func(t *testing.T) providertest.RecognizerFixture {
				sim, client := simulated(t, e)
				r := failover.NewRecognizer(failover.RecognizerOptions{}, failover.Ear{Recognizer: client})
				t.Cleanup(r.Close)
				return providertest.RecognizerFixture{
					Recognizer: r,
					Options:    providers.ListenOptions{Language: "en", SampleRate: 16000},
					Speech:     speech, Text: english, Noise: noise,
					Fail: func(f providertest.RecognizerFailure) { sim.Inject(fault(f)) },
				}
			})
		})
	}
}

// fault says in the simulator's words what the suite asks for.
func fault(f providertest.RecognizerFailure) simulate.Fault {
	out := simulate.Fault{Vendor: simulate.Deepgram, After: 3, Times: -1}
	switch f {
	case providertest.RefusedKey:
		out.Kind, out.Status = simulate.FaultStatus, http.StatusUnauthorized
	case providertest.RefusedBusy:
		out.Kind, out.Status, out.Times = simulate.FaultStatus, http.StatusTooManyRequests, 1
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

// Over the vendor's real messages: whatever happens to the preferred endpoint's stream,
// and after however many messages, the other endpoint hears the sentence whole.
func TestTheOtherEndpointHearsOn(t *testing.T) {
	speech := samples(t, "en-01-clean") // in which the simulator hears its script, in any language
	line := simulate.Scripts()["es"].Turns[0].Learner
	for _, kind := range []simulate.FaultKind{simulate.FaultCut, simulate.FaultClose, simulate.FaultGarbage, simulate.FaultEnd} {
		for after := 1; after <= 9; after += 2 {
			t.Run(string(kind)+" after "+strconv.Itoa(after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sim, nova := simulated(t, deepgram.Nova)
					sim.Inject(simulate.Fault{Vendor: simulate.Deepgram, Kind: kind, After: after, Message: "over"})
					_, flux := simulated(t, deepgram.Flux)
					l := hearing(t, failover.RecognizerOptions{}, failover.Ear{Recognizer: nova}, failover.Ear{Recognizer: flux})
					l.say(speech)
					events := l.drained()
					wellFormed(t, events)
					var texts []string
					for _, h := range events {
						if h.Kind == providers.HeardEnd && h.Text != "" {
							texts = append(texts, strings.Trim(h.Text, "."))
						}
					}
					if got := strings.Join(texts, " "); got != strings.Trim(line, ".") {
						t.Errorf("heard %q%s", got, story(events))
					}
				})
			})
		}
	}
}
