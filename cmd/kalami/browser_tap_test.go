package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kalami/gateway/learner"
	"kalami/web/webtest"
)

// tapScript listens in on the page without asking it: to what it sends and receives
// over its socket, and to the samples that reach the audio device. All times are the
// audio clock's, in seconds: a busy machine that delays the page's own code does not
// stretch them.
const tapScript = `(() => {
	const tap = window.tap = { wire: [], sound: [] };
	let context, analyser, samples, heardUpTo = 0;

	const note = (way, data) => {
		const at = context?.currentTime ?? 0;
		if (typeof data === "string") tap.wire.push({ way, at, event: JSON.parse(data) });
		else if (way === "received") tap.wire.push({ way, at, stream: new DataView(data).getUint16(2) });
	};
	const Socket = window.WebSocket;
	window.WebSocket = class extends Socket {
		constructor(...args) {
			super(...args);
			this.addEventListener("message", ({ data }) => note("received", data));
		}
		send(data) {
			note("sent", data);
			super.send(data);
		}
	};

	const connect = AudioNode.prototype.connect;
	AudioNode.prototype.connect = function (to, ...rest) {
		if (to instanceof AudioDestinationNode) connect.call(this, listenTo(this.context));
		return connect.call(this, to, ...rest);
	};
	const listenTo = (used) => {
		if (used === context) return analyser;
		context = used;
		analyser = new AnalyserNode(context, { fftSize: 32768 });
		samples = new Float32Array(analyser.fftSize);
		setInterval(measure, 20);
		return analyser;
	};
	const measure = () => {
		const at = context.currentTime;
		const fresh = Math.min(samples.length, Math.round((at - heardUpTo) * context.sampleRate));
		if (fresh <= 0) return;
		heardUpTo = at;
		analyser.getFloatTimeDomainData(samples);
		let loud = 0;
		let last = -1;
		for (let i = samples.length - fresh; i < samples.length; i++) {
			if (samples[i] === 0) continue;
			loud++;
			last = i;
		}
		const lastAt = last < 0 ? 0 : at - (samples.length - 1 - last) / context.sampleRate;
		tap.sound.push({ at, seconds: loud / context.sampleRate, lastAt });
	};
})();`

// tap is what tapScript has noted.
type tap struct {
	Wire []passage
	// Sound has an entry for every few hundredths of a second.
	Sound []struct {
		At      float64
		Seconds float64 // how much of it was not silence
		LastAt  float64 // when its last sample that was not silence was played; 0 for none
	}
}

// passage is one message on the page's socket, as the page saw it.
type passage struct {
	Way   string // sent or received
	At    float64
	Event *struct {
		Type       string
		Stream     uint16
		Response   struct{ ID, Status string }
		ResponseID string  `json:"response_id"`
		Transcript string  `json:"transcript"`
		Source     string  `json:"source"`
		PlayedMS   float64 `json:"played_ms"`
		AudioEndMS float64 `json:"audio_end_ms"`
		Session    struct {
			ConversationID string `json:"conversation_id"`
		}
	}
	Stream uint16 // of a frame of the tutor's audio
}

// readTap takes what has been noted so far.
func readTap(tb *webtest.Tab) tap { return webtest.Eval[tap](tb, "tap") }

// find returns where the first event of a type from an index on stands, or -1.
func (p tap) find(event string, from int) int {
	i := slices.IndexFunc(p.Wire[from:], func(m passage) bool { return m.Event != nil && m.Event.Type == event })
	if i < 0 {
		return -1
	}
	return from + i
}

// count counts events of a type.
func (p tap) count(event string) int {
	n := 0
	for i := p.find(event, 0); i >= 0; i = p.find(event, i+1) {
		n++
	}
	return n
}

// soundSeconds is how much of what reached the device was not silence.
func (p tap) soundSeconds() float64 {
	sum := 0.0
	for _, s := range p.Sound {
		sum += s.Seconds
	}
	return sum
}

// lastSound is when something was last audible before the audio clock stood at until.
func (p tap) lastSound(until float64) float64 {
	last := 0.0
	for _, s := range p.Sound {
		if s.At < until {
			last = max(last, s.LastAt)
		}
	}
	return last
}

// microphonePlaying makes a microphone for the browser that plays one of the shared
// recordings once, from the moment it is opened: at 48 kHz, as browsers want it.
func microphonePlaying(t *testing.T, name string) string {
	t.Helper()
	const times = 3 // 16 kHz to 48 kHz, by straight lines between the samples
	pcm := recording(t, name)
	out := make([]byte, 0, times*len(pcm))
	sample := func(at int) int { return int(int16(uint16(pcm[at]) | uint16(pcm[at+1])<<8)) }
	for at := 0; at+4 <= len(pcm); at += 2 {
		from, to := sample(at), sample(at+2)
		for i := range times {
			v := from + (to-from)*i/times
			out = append(out, byte(v), byte(v>>8))
		}
	}
	file := filepath.Join(t.TempDir(), name+".wav")
	if err := os.WriteFile(file, learner.Recording{PCM: out, Rate: 16000 * times}.WAV(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file + "%noloop"
}
