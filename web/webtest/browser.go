package webtest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// The variables that tests in a browser look at.
const (
	ChromiumVariable    = "KALAMI_TEST_CHROMIUM"
	ScreenshotsVariable = "KALAMI_TEST_SCREENSHOTS"
)

// Browser is how a test wants its browser.
type Browser struct {
	// Microphone is a 16-bit WAV file that is played in a loop as the microphone, from
	// the moment that a page opens it; with "%noloop" after its name it is played once.
	// Empty is a machine without a microphone.
	Microphone string
	// Asks leaves the question for the microphone to SetPermission; otherwise it is granted.
	Asks bool
	// Width and Height are in CSS pixels; zero is a laptop's 1280 × 800.
	Width, Height int64
	Mobile, Dark  bool
	// Script is JavaScript that runs in every document before the page's own.
	Script string
}

// violationsScript notes what the page's policy forbade.
const violationsScript = `window.violations = [];
document.addEventListener("securitypolicyviolation", (e) => violations.push(e.violatedDirective + " " + e.blockedURI));`

// path finds the browser, or skips the test.
func path(t *testing.T) string {
	t.Helper()
	if p := os.Getenv(ChromiumVariable); p != "" {
		return p
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	const missing = "no Chromium: set " + ChromiumVariable + " to its path, or install it"
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// Open starts a fresh Chromium with an empty tab for the server at addr, a URL. The
// browser is closed when the test is over.
func Open(t *testing.T, b Browser, addr string) *Tab {
	t.Helper()
	u, err := url.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	tb := &Tab{t: t, url: addr, host: u.Host}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path(t)),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.WSURLReadTimeout(90*time.Second),
	)
	if b.Microphone != "" {
		opts = append(opts,
			chromedp.Flag("use-fake-device-for-media-stream", true),
			chromedp.Flag("use-fake-ui-for-media-stream", !b.Asks),
			chromedp.Flag("use-file-for-fake-audio-capture", b.Microphone))
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
func (tb *Tab) prepare(b Browser) {
	tb.t.Helper()
	if b.Width == 0 {
		b.Width, b.Height = 1280, 800
	}
	scheme := "light"
	if b.Dark {
		scheme = "dark"
	}
	tb.Resize(b.Width, b.Height, b.Mobile)
	tb.Do("prepare the tab", command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}),
		command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: violationsScript + "\n" + b.Script,
		}))
}

// command makes a step of a protocol command whose answer does not matter.
func command[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}
