package web_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"kalami/web/webtest"
)

// renderPlayer renders the player at a device's rate. It gets two responses of noise at
// 24 kHz, 1 s and 0.2 s long, and then its orders, each at a block's beginning; an order
// with answers is waited for until as many reports have come, so that it is obeyed in
// that very block. It returns what reached the device, and the reports.
const renderPlayer = `(async (rate, seconds, orders) => {
	const context = new OfflineAudioContext(1, seconds * rate, rate);
	await context.audioWorklet.addModule("/playback-worklet.js");
	const player = new AudioWorkletNode(context, "kalami-playback", { numberOfInputs: 0, outputChannelCount: [1] });
	player.connect(context.destination);
	const reports = [];
	let came = () => {};
	player.port.onmessage = ({ data }) => {
		if (data.type === "level") return;
		reports.push(data);
		came();
	};
	const answered = (count) => new Promise((resolve) => {
		came = () => { if (reports.length >= count) resolve(); };
		came();
	});
	let seed = 7;
	const noise = (length) => Int16Array.from({ length }, () => {
		seed = (seed * 48271) % 2147483647;
		return 1 + (seed % 20000); // never silence
	});
	for (const { at, answers, messages } of orders) {
		context.suspend(at).then(async () => {
			const before = reports.length;
			messages.forEach((message) => player.port.postMessage(message));
			await answered(before + answers);
			context.resume();
		});
	}
	context.suspend(0).then(async () => {
		for (const [stream, length] of [[1, 24000], [2, 4800]]) {
			player.port.postMessage({ type: "stream", stream, rate: 24000 });
			player.port.postMessage({ type: "audio", stream, samples: noise(length) });
			player.port.postMessage({ type: "end", stream });
		}
		player.port.postMessage({ type: "flush", stream: 0 }); // nothing to forget, but an answer
		await answered(1);
		context.resume();
	});
	const sound = await context.startRendering();
	for (let before = -1; before !== reports.length;) { // messages arrive after the rendering
		before = reports.length;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	return { sound: [...sound.getChannelData(0)], reports };
})`

// rendering is what renderPlayer returns.
type rendering struct {
	Sound   []float64
	Reports []struct {
		Type                              string
		Stream, Played, Buffered, Dropped int
		Sounding                          bool
		At                                float64
		Totals                            struct{ Played, NonZero, Underruns, Pauses int }
	}
}

// order is something that the player is told at a time, in blocks of 128 samples.
type order struct {
	block    int
	answers  int
	messages string
}

func render(tb *webtest.Tab, rate, seconds int, orders ...order) rendering {
	js := "["
	for _, o := range orders {
		js += fmt.Sprintf(`{at: (%d * 128 - 1) / %d, answers: %d, messages: [%s]},`, o.block, rate, o.answers, o.messages)
	}
	return webtest.Eval[rendering](tb, fmt.Sprintf("%s(%d, %d, %s])", renderPlayer, rate, seconds, js))
}

// ended returns what was played of a stream in the report that ended it.
func (r rendering) ended(t *testing.T, kind string, stream int) int {
	t.Helper()
	for _, report := range r.Reports {
		if report.Type == kind && report.Stream == stream {
			return report.Played
		}
	}
	t.Fatalf("stream %d was not %s: %+v", stream, kind, r.Reports)
	return 0
}

const (
	pauseOrder  = `{type: "pause", stream: 1}`
	resumeOrder = `{type: "resume", stream: 1}`
	nothing     = `, {type: "flush", stream: 0}` // but an answer
)

// A pause costs the learner nothing: what is played with pauses is, the pauses taken
// out and the two fades of each laid over each other, what is played without. The
// fades' gains add up to one, so that no sample is lost and none is heard twice, at a
// device of the tutor's own rate and at one that has to be resampled for.
func TestPauseLosesNothing(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {})
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.Open()
	for _, rate := range []int{24000, 44100, 48000} {
		whole := render(tb, rate, 3)
		if got := whole.ended(t, "stopped", 1); got != 24000 {
			t.Fatalf("%d Hz: %d samples were played without a pause", rate, got)
		}
		// One of half a second; one of a single block, whose fades overlap; one that comes
		// while that fades in, and waits for it; and one in the second response.
		at := func(seconds float64) int { return int(seconds * float64(rate) / 128) }
		fade := (rate*8/1000 + 127) / 128 // blocks
		first, short, late, second := at(0.2), at(0.9), at(0.9)+1+fade, at(2.0)
		gaps := [][2]int{{first, at(0.7)}, {short, short + 1}, {late, at(1.3)}, {second, at(2.3)}}
		paused := render(tb, rate, 3,
			order{first, 1, pauseOrder}, order{at(0.7), 1, resumeOrder},
			order{short, 1, pauseOrder}, order{short + 1, 1, resumeOrder},
			order{short + 2, 1, pauseOrder + nothing}, order{at(1.3), 1, resumeOrder},
			order{second, 1, `{type: "pause", stream: 2}`}, order{at(2.3), 1, `{type: "resume", stream: 2}`})
		checkRejoined(t, rate, whole.Sound, paused.Sound, gaps)
		last := paused.Reports[len(paused.Reports)-1]
		if one, two := paused.ended(t, "stopped", 1), paused.ended(t, "stopped", 2); one != 24000 || two != 4800 {
			t.Errorf("%d Hz: %d and %d samples were played, want 24000 and 4800", rate, one, two)
		}
		if last.Totals.Played != 28800 || last.Totals.NonZero != 28800 || last.Totals.Underruns != 0 || last.Totals.Pauses != 4 {
			t.Errorf("%d Hz: the totals are %+v, want 28800 samples, no underrun and 4 pauses", rate, last.Totals)
		}
	}
	tb.CheckClean()
}

// checkRejoined takes the pauses out of a rendering, each from the block of its order to
// the block of the resume, lays what sounds in them over what comes after them, and
// compares.
func checkRejoined(t *testing.T, rate int, whole, paused []float64, gaps [][2]int) {
	t.Helper()
	rejoined := slices.Clone(paused)
	fade := int(math.Round(0.008 * float64(rate)))
	for i, gap := range slices.Backward(gaps) {
		from, to := gap[0]*128, gap[1]*128
		for k := fade; from+k < to; k++ {
			if paused[from+k] != 0 {
				t.Fatalf("%d Hz: there is sound in pause %d, %d samples after its fade", rate, i, k-fade)
			}
		}
		tail := slices.Clone(rejoined[from:min(to, from+fade)])
		rejoined = slices.Delete(rejoined, from, to)
		before := 0 // how much the pauses before this one have moved it
		for _, earlier := range gaps[:i] {
			before += (earlier[1] - earlier[0]) * 128
		}
		for k := to - from; k < fade; k++ { // the fade goes on beside what was resumed before its end
			tail = append(tail, whole[from-before+k]*(1-float64(k)/float64(fade)))
			rejoined[from+k-(to-from)] -= tail[k]
		}
		for k, v := range tail {
			rejoined[from+k] += v
		}
	}
	worst, at := 0.0, 0
	for i, v := range rejoined {
		if d := math.Abs(v - whole[i]); d > worst {
			worst, at = d, i
		}
	}
	t.Logf("%d Hz: after the pauses are taken out, the worst sample differs by %.2g", rate, worst)
	if worst > 1e-5 {
		t.Errorf("%d Hz: sample %d differs by %g", rate, at, worst)
	}
}

// Whoever interrupts for good during a pause hears nothing more, and what is reported as
// played is what had been heard before it, to the sample.
func TestClearWhilePaused(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {})
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.Open()
	const pausedAt, clearedAt = 40, 80
	r := render(tb, 24000, 2,
		order{pausedAt, 1, pauseOrder}, order{clearedAt, 1, `{type: "flush", stream: 1}`},
		order{clearedAt + 1, 0, resumeOrder}) // too late
	if got := r.ended(t, "cleared", 1); got != pausedAt*128 {
		t.Errorf("%d samples are reported as played, want %d", got, pausedAt*128)
	}
	for i, v := range r.Sound[pausedAt*128+192 : clearedAt*128] {
		if v != 0 {
			t.Fatalf("there is sound in the pause, %d samples after its fade", i)
		}
	}
	// What waits behind it is not held back by a pause that is over.
	if got := r.ended(t, "stopped", 2); got != 4800 {
		t.Errorf("of the next response %d samples were played, want 4800", got)
	}
	tb.CheckClean()
}

// A resume that is lost does not leave the learner in silence: after two seconds the
// player goes on by itself, and a pause of what has been played already changes nothing.
func TestForgottenPause(t *testing.T) {
	s := newServer(t, func(l *line, _ int) {})
	tb := webtest.Open(t, webtest.Browser{}, s.http.URL)
	tb.Open()
	const pausedAt, over = 40, 700 // blocks; both responses last 225
	r := render(tb, 24000, 4, order{pausedAt, 1, pauseOrder}, order{over, 1, pauseOrder + nothing})
	goesOn := pausedAt*128 + 2*24000
	for i, v := range r.Sound[pausedAt*128+192 : goesOn] {
		if v != 0 {
			t.Fatalf("it went on after %d samples, want 48000", i+192)
		}
	}
	whole := render(tb, 24000, 4)
	for i := 192; i < 20000; i++ {
		if d := math.Abs(r.Sound[goesOn+i] - whole.Sound[pausedAt*128+i]); d > 1e-5 {
			t.Fatalf("sample %d after the pause differs by %g", i, d)
		}
	}
	if one, two := r.ended(t, "stopped", 1), r.ended(t, "stopped", 2); one != 24000 || two != 4800 {
		t.Errorf("%d and %d samples were played, want 24000 and 4800", one, two)
	}
	if last := r.Reports[len(r.Reports)-1]; last.Totals.Pauses != 1 || last.Totals.Underruns != 0 {
		t.Errorf("the totals are %+v, want one pause and no underrun", last.Totals)
	}
	tb.CheckClean()
}
