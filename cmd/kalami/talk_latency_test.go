package main

import (
	"testing"

	"kalami/session"
)

// A turn's figures are one line, with the client's first where there are any.
func TestLatencyLine(t *testing.T) {
	l := session.Latency{EndpointMS: 350, LLMFirstMS: 400, ClauseMS: 35, TTSFirstMS: 150, EgressMS: 1, FirstAudioMS: 936, BufferMS: 60, HeardMS: 996}
	for want, change := range map[string]func(*session.Latency){
		"first audio 936 ms after the end of speech (turn's end 350, model 400, clause 35, voice 150, sending 1, player 60)": func(*session.Latency) {},
		"heard 1003 ms after the end of speech, by the server's reckoning 996 (turn's end 350, model 400, clause 35, voice 150, sending 1, player 60)": func(l *session.Latency) {
			l.ClientMS = 1003
		},
		"heard 803 ms after the end of speech, by the server's reckoning 796 (turn's end 350, model 400, clause 35, voice 150, sending 1, player 60; 200 of it drafted before)": func(l *session.Latency) {
			l.ClientMS, l.HeardMS, l.DraftMS = 803, 796, 200
		},
	} {
		turn := l
		change(&turn)
		if got := latencyLine(turn); got != want {
			t.Errorf("printed %q, want %q", got, want)
		}
	}
}
