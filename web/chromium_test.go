package web_test

import (
	"context"
	"encoding/binary"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromiumPath finds the browser: KALAMI_TEST_CHROMIUM, else a usual name in PATH. Without
// one the test is skipped, unless CI=true says that everything must be there.
func chromiumPath(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("KALAMI_TEST_CHROMIUM"); p != "" {
		return p
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	const missing = "no Chromium: set KALAMI_TEST_CHROMIUM to its path, or install it"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// chromium is how a test wants its browser.
type chromium struct {
	// microphone is a WAV file that is played in a loop as the microphone; empty
	// for a machine without one.
	microphone string
	// asks leaves the question for the microphone to setPermission; otherwise it is granted.
	asks          bool
	width, height int64
	mobile, dark  bool
}

// tab is one page under test, and what it did.
type tab struct {
	t    *testing.T
	ctx  context.Context
	host string

	mu       sync.Mutex
	foreign  []string // requests to other hosts
	failures []string // exceptions and console errors
}

// openTab starts a fresh Chromium with an empty tab for the server at addr.
func openTab(t *testing.T, b chromium, addr string) *tab {
	t.Helper()
	u, err := url.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	tb := &tab{t: t, host: u.Host}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromiumPath(t)),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.WSURLReadTimeout(90*time.Second),
	)
	if b.microphone != "" {
		opts = append(opts,
			chromedp.Flag("use-fake-device-for-media-stream", true),
			chromedp.Flag("use-fake-ui-for-media-stream", !b.asks),
			chromedp.Flag("use-file-for-fake-audio-capture", b.microphone))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithListener(tb.observe))
	tb.ctx = ctx
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil { // closes the browser and waits for it
			t.Logf("close Chromium: %v", err)
		}
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil { // starts the browser; its life must not hang on a deadline
		t.Fatalf("start Chromium: %v", err)
	}
	tb.prepare(b)
	return tb
}

// prepare sets the tab's size and colours, and listens for what must not happen.
func (tb *tab) prepare(b chromium) {
	tb.t.Helper()
	if b.width == 0 {
		b.width, b.height = 1280, 800
	}
	var viewport []chromedp.EmulateViewportOption
	if b.mobile {
		viewport = append(viewport, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	scheme := "light"
	if b.dark {
		scheme = "dark"
	}
	tb.do("prepare the tab", chromedp.EmulateViewport(b.width, b.height, viewport...), command(network.Enable, network.EnableParams{}),
		command(log.Enable, cdp.Empty{}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}),
		command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.violations = []; document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));`,
		}))
}

// command makes a step of a protocol command whose answer does not matter.
func command[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}

// observe collects what a good page does not do.
func (tb *tab) observe(ev any) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		tb.noteRequest(ev.Request.URL)
	case *network.EventWebSocketCreated:
		tb.noteRequest(ev.URL)
	case *runtime.EventExceptionThrown:
		text := ev.ExceptionDetails.Text
		if thrown := ev.ExceptionDetails.Exception; thrown != nil {
			text += " " + thrown.Description
		}
		tb.failures = append(tb.failures, "exception: "+text)
	case *log.EventEntryAdded:
		// Refused requests are logged as well; those are the tests' own doing.
		refused := ev.Entry.Source == "network" || strings.Contains(ev.Entry.Text, "(Network error)")
		if ev.Entry.Level == "error" && !refused {
			tb.failures = append(tb.failures, "log: "+ev.Entry.Text)
		}
	}
}

func (tb *tab) noteRequest(raw string) {
	u, err := url.Parse(raw)
	if err != nil || (u.Host != tb.host && u.Scheme != "data" && u.Scheme != "blob" && u.Scheme != "about") {
		tb.foreign = append(tb.foreign, raw)
	}
}

// patience is how long a step may take on a machine that is busy with other things.
const patience = 60 * time.Second

// within is a context for one step.
func (tb *tab) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.ctx, patience)
}

// do takes steps in the page.
func (tb *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := tb.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tb.fail("%s: %v", what, err)
	}
}

// fail ends the test and tells what the page shows.
func (tb *tab) fail(format string, args ...any) {
	tb.t.Helper()
	tb.screenshot("failed")
	tb.t.Fatalf(format+"\nthe page shows: %s", append(args, tb.describe())...)
}

// eval evaluates JavaScript, promises included.
func eval[T any](tb *tab, expression string) T {
	tb.t.Helper()
	ctx, cancel := tb.within()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.fail("evaluate %s: %v", expression, err)
	}
	return v
}

// waitFor waits until the JavaScript expression is true. (chromedp's own polling needs
// eval, which the page's policy forbids.)
func (tb *tab) waitFor(what, expression string) {
	tb.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if eval[bool](tb, "Boolean("+expression+")") {
			return
		}
		if time.Now().After(deadline) {
			tb.fail("waited for %s: %s", what, expression)
		}
	}
}

// waitState waits until the conversation is in this state.
func (tb *tab) waitState(state string) {
	tb.t.Helper()
	tb.waitFor("state "+state, `kalami.state === "`+state+`"`)
}

// waitProblem waits until the page says that this went wrong.
func (tb *tab) waitProblem(kind string) {
	tb.t.Helper()
	tb.waitFor("problem "+kind, `document.querySelector('[data-problem="`+kind+`"]') && kalami.problem === "`+kind+`"`)
}

func (tb *tab) click(selector string) {
	tb.t.Helper()
	tb.waitFor(selector, `document.querySelector('`+selector+`:not(:disabled)')`)
	tb.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// focus moves the focus, as the tab key would.
func (tb *tab) focus(selector string) {
	tb.t.Helper()
	tb.waitFor(selector, `document.querySelector('`+selector+`:not(:disabled)')`)
	tb.do("focus "+selector, chromedp.Focus(chromedp.CSS(selector)))
}

// press sends one key to what has the focus.
func (tb *tab) press(key string) {
	tb.t.Helper()
	tb.do("press a key", chromedp.KeyEvent(key))
}

// text returns what an element shows, empty when there is no such element.
func (tb *tab) text(selector string) string {
	tb.t.Helper()
	return eval[string](tb, `(document.querySelector('`+selector+`')?.innerText ?? "").trim()`)
}

// describe tells what the page shows, for a failed test.
func (tb *tab) describe() string {
	ctx, cancel := context.WithTimeout(tb.ctx, 10*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText + "\n" + JSON.stringify(window.kalami)`))
	if err != nil {
		s = err.Error()
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return s + "\n" + strings.Join(tb.failures, "\n")
}

// checkClean fails the test if the page broke its own policy, asked another host, or threw.
func (tb *tab) checkClean() {
	tb.t.Helper()
	violations := eval[[]string](tb, "violations")
	tb.mu.Lock()
	defer tb.mu.Unlock()
	for _, v := range violations {
		tb.t.Errorf("policy violation: %s", v)
	}
	for _, f := range tb.foreign {
		tb.t.Errorf("request to another host: %s", f)
	}
	for _, f := range tb.failures {
		tb.t.Error(f)
	}
}

// screenshot keeps a picture when KALAMI_TEST_SCREENSHOTS names a folder.
func (tb *tab) screenshot(name string) {
	tb.t.Helper()
	dir := os.Getenv("KALAMI_TEST_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := tb.within()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		tb.t.Logf("screenshot %s: %v", name, err)
		return
	}
	file := strings.ReplaceAll(tb.t.Name(), "/", "-") + "-" + name + ".png"
	if err := os.WriteFile(filepath.Join(dir, file), png, 0o644); err != nil {
		tb.t.Logf("screenshot: %v", err)
	}
}

// microphoneFile writes a WAV of 5 s: a second of something like speech (a 140 Hz
// buzz in syllables), then silence. The browser plays it again and again.
func microphoneFile(t *testing.T) string {
	t.Helper()
	const rate, seconds = 48000, 5
	samples := make([]int16, rate*seconds)
	for i := range samples {
		at := float64(i) / rate
		if at < 1 || at > 2 {
			continue
		}
		syllable := 0.5 - 0.5*math.Cos(2*math.Pi*4*at)
		var buzz float64
		for k := 1; k <= 20; k++ {
			buzz += math.Sin(2*math.Pi*140*float64(k)*at) / float64(k)
		}
		samples[i] = int16(9000 * syllable * buzz)
	}
	head := make([]byte, 0, 44+2*len(samples))
	le := binary.LittleEndian
	head = append(head, "RIFF"...)
	head = le.AppendUint32(head, uint32(36+2*len(samples)))
	head = append(head, "WAVEfmt "...)
	head = le.AppendUint32(head, 16)
	head = le.AppendUint16(head, 1) // PCM
	head = le.AppendUint16(head, 1) // mono
	head = le.AppendUint32(head, rate)
	head = le.AppendUint32(head, rate*2)
	head = le.AppendUint16(head, 2)
	head = le.AppendUint16(head, 16)
	head = append(head, "data"...)
	head = le.AppendUint32(head, uint32(2*len(samples)))
	for _, s := range samples {
		head = le.AppendUint16(head, uint16(s))
	}
	file := filepath.Join(t.TempDir(), "microphone.wav")
	if err := os.WriteFile(file, head, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
