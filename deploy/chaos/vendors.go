package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"kalami/providers/simulate"
)

// vendors are the simulated services of all nodes. They stay well: it is for other
// programs to break them. Close them.
type vendors struct {
	url    string
	vendor *simulate.Server
	http   *http.Server
	served chan error
	// answers are all that the tutor ever says.
	answers map[string]bool
}

// startVendors serves them on a free port of the loopback.
func startVendors(ctx context.Context, short bool) (*vendors, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	script := stamped(short)
	ms := func(n int) simulate.Delay { return simulate.Delay{P50: time.Duration(n) * time.Millisecond} }
	v := &vendors{url: "http://" + l.Addr().String(), served: make(chan error, 1),
		vendor: simulate.New(simulate.Options{Engine: "none", Scripts: map[string]simulate.Script{"en": script}, Latency: simulate.Latency{
			STTPartial: ms(60), STTFinal: ms(120), STTEager: ms(60), LLMFirstToken: ms(80), LLMToken: ms(4), TTSFirstByte: ms(50), TTSRealTime: 8,
		}})}
	v.answers = map[string]bool{oneSpace(script.Opener): true, oneSpace(script.Otherwise): true}
	for _, turn := range script.Turns {
		v.answers[oneSpace(turn.Tutor)] = true
	}
	v.http = &http.Server{Handler: v.vendor, ReadHeaderTimeout: 5 * time.Second}
	go func() { v.served <- v.http.Serve(l) }() // joined by Close
	return v, nil
}

// environ points a node at them.
func (v *vendors) environ() []string {
	return []string{"DEEPGRAM_API_KEY=key", "DEEPGRAM_BASE_URL=" + v.url, "ELEVENLABS_API_KEY=key", "ELEVENLABS_BASE_URL=" + v.url,
		"ANTHROPIC_API_KEY=key", "ANTHROPIC_BASE_URL=" + v.url}
}

// Close ends every connection and waits.
func (v *vendors) Close() error {
	v.vendor.Close()
	err := v.http.Close()
	if served := <-v.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// stamped is a script whose sentences are all different, so that each that is heard says
// where it belongs. Short answers have two of them, the others four.
func stamped(short bool) simulate.Script {
	numbers := []string{"one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	answer := "This is story %[1]s. The middle of %[1]s comes now. After it we go on with %[1]s. That was the end of %[1]s."
	if short {
		answer = "This is story %[1]s. That was all of %[1]s."
	}
	s := simulate.Script{Language: "en", Opener: "This is the beginning. It has a second part.", Otherwise: "Something else was said. It has a second part."}
	for _, n := range numbers {
		s.Turns = append(s.Turns, simulate.Turn{Learner: fmt.Sprintf("Please tell me story %s.", n), Tutor: fmt.Sprintf(answer, n)})
	}
	return s
}
