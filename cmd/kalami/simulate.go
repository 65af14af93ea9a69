package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"kalami/providers/simulate"
)

// newSimulateCommand serves the vendors' protocols for other programs: development,
// load tests, other people's clients.
func newSimulateCommand(p process) *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Serve the vendors' wire protocols, simulated",
		Long: "Serve the wire protocols of Deepgram, ElevenLabs, Anthropic and OpenAI at one address, without any of them.\n" +
			"Point the …_BASE_URL variables at it. What goes wrong is put in by POST /_simulate/faults.",
		Args: noArgs,
	}
	listen := c.Flags().String("listen", "127.0.0.1:8089", "`address` to listen on")
	key := c.Flags().String("key", "", "refuse callers that do not present this `key`")
	seed := c.Flags().Uint64("seed", 1, "`seed` of all chance")
	profile := c.Flags().String("latency", "demo", "`profile`: none, demo (as vendors are), or bench (fixed)")
	c.RunE = func(c *cobra.Command, _ []string) error {
		latencies := map[string]simulate.Latency{"none": {}, "demo": demoLatency, "bench": simulate.BenchLatency()}
		latency, ok := latencies[*profile]
		if !ok {
			return &usageError{fmt.Errorf("--latency: %q is not none, demo or bench", *profile)}
		}
		log := newLogger(p.stderr, LogConfig{Level: slog.LevelInfo})
		s, err := startSimulator(c.Context(), simulate.Options{Key: *key, Seed: *seed, Latency: latency, Log: log}, *listen)
		if err != nil {
			return err
		}
		// A write error has nowhere to be reported.
		_, _ = fmt.Fprintf(p.stdout, "Simulating Deepgram, ElevenLabs, Anthropic and OpenAI at %s\n", s.url)
		<-c.Context().Done()
		return s.Close()
	}
	return c
}
