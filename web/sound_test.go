package web_test

import (
	"math"
	"testing"

	"kalami/web/webtest"
)

// resample renders a tone at the device's rate through the capture worklet and returns
// what comes out at 16 kHz, without the first 100 ms.
const resample = `(async (rate, hertz) => {
	const context = new OfflineAudioContext(1, 2 * rate, rate);
	await context.audioWorklet.addModule("/capture-worklet.js");
	const tone = new OscillatorNode(context, { frequency: hertz });
	const volume = new GainNode(context, { gain: 0.5 });
	const capture = new AudioWorkletNode(context, "kalami-capture", { outputChannelCount: [1] });
	const blocks = [];
	capture.port.onmessage = ({ data }) => blocks.push(data.samples);
	tone.connect(volume).connect(capture).connect(context.destination);
	tone.start();
	await context.startRendering();
	for (let before = -1; before !== blocks.length;) { // messages arrive after the rendering
		before = blocks.length;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	return blocks.slice(5).flatMap((block) => [...block]);
})`

// The learner's voice must reach recognition unharmed from whatever rate the device has:
// a tone within 8 kHz stays pure, one above does not come back as a ghost.
func TestCaptureResamples(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {})
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.Open()
	for _, rate := range []string{"44100", "48000", "96000"} {
		pure := webtest.Eval[[]float64](tb, resample+"("+rate+", 1000)")
		if len(pure) < 28000 || len(pure)%320 != 0 {
			t.Fatalf("%s Hz: %d samples came out of 1.9 s", rate, len(pure))
		}
		level, residual := toneAndRest(pure, 1000)
		t.Logf("%s Hz: 1 kHz at %.2f dBFS, residual %.1f dB", rate, level, residual)
		if math.Abs(level-decibels(0.5/math.Sqrt2)) > 0.2 || residual > -70 {
			t.Errorf("%s Hz: 1 kHz came out at %.2f dBFS with a residual of %.1f dB", rate, level, residual)
		}
		ghost := decibels(rms(webtest.Eval[[]float64](tb, resample+"("+rate+", 11000)")))
		t.Logf("%s Hz: 11 kHz comes out at %.1f dBFS", rate, ghost)
		if ghost > -75 {
			t.Errorf("%s Hz: 11 kHz comes out at %.1f dBFS", rate, ghost)
		}
	}
	tb.CheckClean()
}

// toneAndRest fits a tone at 16 kHz by least squares and returns its level in dBFS and
// what is left beside it, relative to the tone.
func toneAndRest(samples []float64, hertz float64) (level, residual float64) {
	n := len(samples) - len(samples)%16 // whole periods of any multiple of 1 kHz
	var re, im float64
	for i, v := range samples[:n] {
		angle := 2 * math.Pi * hertz * float64(i) / 16000
		re += v * math.Cos(angle)
		im += v * math.Sin(angle)
	}
	re, im = 2*re/float64(n), 2*im/float64(n)
	rest := make([]float64, n)
	for i, v := range samples[:n] {
		angle := 2 * math.Pi * hertz * float64(i) / 16000
		rest[i] = v - re*math.Cos(angle) - im*math.Sin(angle)
	}
	tone := math.Hypot(re, im) / math.Sqrt2 / 32768
	return decibels(tone), decibels(rms(rest)) - decibels(tone)
}

// rms returns the loudness of PCM16 samples, 1 being full scale.
func rms(samples []float64) float64 {
	var sum float64
	for _, v := range samples {
		sum += v * v
	}
	return math.Sqrt(sum/float64(len(samples))) / 32768
}

func decibels(x float64) float64 { return 20 * math.Log10(max(x, 1e-9)) }
