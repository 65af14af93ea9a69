package main

import (
	"context"

	"kalami/deploy/bench/node"
)

// startServer starts the binary with the engine as its recogniser and its voice. Stop it.
func startServer(ctx context.Context, binary, engine string) (*node.Node, error) {
	return node.Start(ctx, binary,
		// The engine loads a language's model with each stream, which Deepgram does not.
		"KALAMI_DEEPGRAM_DIAL_TIMEOUT=10s",
		"DEEPGRAM_API_KEY=none", "DEEPGRAM_BASE_URL="+engine, "KALAMI_STT_LANGUAGES=en=nova,es=nova,fr=nova,de=nova",
		"ELEVENLABS_API_KEY=none", "ELEVENLABS_BASE_URL="+engine)
}
