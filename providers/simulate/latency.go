package simulate

import (
	"math"
	"time"
)

// Delay is a log-normal distribution by two points that vendors publish. A zero
// P99 means always exactly P50.
type Delay struct {
	P50, P99 time.Duration
}

// Latency says how long each vendor takes.
type Latency struct {
	Handshake     Delay // before a WebSocket or stream is accepted
	STTPartial    Delay // from audio to the partial transcript that covers it
	STTFinal      Delay // from the end of speech to the final
	STTEager      Delay // from the end of speech to Flux's eager end
	LLMFirstToken Delay
	LLMToken      Delay // each further token
	TTSFirstByte  Delay
	TTSRealTime   float64 // speed of synthesis relative to real time; 0 means at once
}

// BenchLatency is the fixed profile that recorded figures use: end of turn 350 ms,
// eager 200 ms before it, first token 400 ms then 60 tokens/s, TTS first byte 150 ms.
func BenchLatency() Latency {
	ms := func(n int) Delay { return Delay{P50: time.Duration(n) * time.Millisecond} }
	return Latency{
		Handshake: ms(50), STTPartial: ms(150), STTFinal: ms(350), STTEager: ms(150),
		LLMFirstToken: ms(400), LLMToken: Delay{P50: time.Second / 60}, TTSFirstByte: ms(150), TTSRealTime: 8,
	}
}

// z99 is the 99th percentile of the standard normal distribution.
const z99 = 2.326

// sample draws a delay. Safe for concurrent use.
func (s *Server) sample(d Delay) time.Duration {
	if d.P50 <= 0 || d.P99 <= d.P50 {
		return d.P50
	}
	s.mu.Lock()
	z := s.rng.NormFloat64()
	s.mu.Unlock()
	sigma := math.Log(float64(d.P99)/float64(d.P50)) / z99
	return time.Duration(float64(d.P50) * math.Exp(sigma*z))
}
