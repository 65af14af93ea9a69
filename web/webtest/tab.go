package webtest

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience is how long one step may take on a machine that is busy with other things.
const Patience = 60 * time.Second

// Tab is one page under test, and what it did. A step that fails ends the test and
// tells what the page shows; like the test itself, it belongs to one goroutine.
type Tab struct {
	t    *testing.T
	ctx  context.Context
	url  string
	host string

	mu       sync.Mutex
	foreign  []string // requests to other hosts
	failures []string // exceptions and console errors
	refused  []string // requests that did not succeed
}

// observe collects what a good page does not do.
func (tb *Tab) observe(ev any) {
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
	case *runtime.EventConsoleAPICalled:
		if ev.Type == "error" {
			tb.failures = append(tb.failures, "the page called console.error")
		}
	case *log.EventEntryAdded:
		switch {
		case ev.Entry.Level != "error":
		case ev.Entry.Source == "network" || strings.Contains(ev.Entry.Text, "(Network error)"):
			tb.refused = append(tb.refused, ev.Entry.Text+" "+ev.Entry.URL)
		default:
			tb.failures = append(tb.failures, "log: "+ev.Entry.Text)
		}
	}
}

func (tb *Tab) noteRequest(raw string) {
	u, err := url.Parse(raw)
	if err != nil || (u.Host != tb.host && u.Scheme != "data" && u.Scheme != "blob" && u.Scheme != "about") {
		tb.foreign = append(tb.foreign, raw)
	}
}

// within is a context for one step.
func (tb *Tab) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.ctx, Patience)
}

// Do takes steps in the page.
func (tb *Tab) Do(what string, steps ...chromedp.Action[chromedp.Void]) {
	tb.t.Helper()
	ctx, cancel := tb.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tb.Fail("%s: %v", what, err)
	}
}

// Fail ends the test and tells what the page shows.
func (tb *Tab) Fail(format string, args ...any) {
	tb.t.Helper()
	tb.Screenshot("failed")
	tb.t.Fatalf(format+"\nthe page shows: %s", append(args, tb.describe())...)
}

// Eval evaluates JavaScript, promises included.
func Eval[T any](tb *Tab, expression string) T {
	tb.t.Helper()
	ctx, cancel := tb.within()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.Fail("evaluate %s: %v", expression, err)
	}
	return v
}

// WaitFor waits until the JavaScript expression is true. (chromedp's own polling needs
// eval, which the page's policy forbids.) A page that is being loaded anew meanwhile is waited
// for as well.
func (tb *Tab) WaitFor(what, expression string) {
	tb.t.Helper()
	for deadline := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		holds, err := tb.holds(expression)
		if err != nil && !strings.Contains(err.Error(), leaving) {
			tb.Fail("evaluate %s: %v", expression, err)
		}
		if holds {
			return
		}
		if time.Now().After(deadline) {
			tb.Fail("waited for %s: %s", what, expression)
		}
	}
}

// leaving is what Chromium says of an evaluation whose document goes while it is under way.
const leaving = "Inspected target navigated or closed"

// holds says whether the JavaScript expression is true now.
func (tb *Tab) holds(expression string) (bool, error) {
	ctx, cancel := tb.within()
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")", chromedp.EvalAwaitPromise))
}

// WaitState waits until the conversation is in this state.
func (tb *Tab) WaitState(state string) {
	tb.t.Helper()
	tb.WaitFor("state "+state, `kalami.state === "`+state+`"`)
}

// WaitProblem waits until the page says that this went wrong.
func (tb *Tab) WaitProblem(kind string) {
	tb.t.Helper()
	tb.WaitFor("problem "+kind, `document.querySelector('[data-problem="`+kind+`"]') && kalami.problem === "`+kind+`"`)
}

// Open shows the page's first screen.
func (tb *Tab) Open() {
	tb.t.Helper()
	tb.Do("open the page", chromedp.Navigate(tb.url))
	tb.WaitFor("the first screen", `document.body.dataset.view === "welcome"`)
	time.Sleep(100 * time.Millisecond) // the list of languages comes by itself; pictures want it
}

// Visit shows another page of the server, at this path; what it shows is for the test to
// wait for.
func (tb *Tab) Visit(path string) {
	tb.t.Helper()
	tb.Do("visit "+path, chromedp.Navigate(tb.url+path))
}

// Click clicks the middle of the first element that matches, once it is there and enabled.
func (tb *Tab) Click(selector string) {
	tb.t.Helper()
	tb.WaitFor(selector, `document.querySelector('`+selector+`:not(:disabled)')`)
	tb.Do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Focus moves the focus, as the tab key would.
func (tb *Tab) Focus(selector string) {
	tb.t.Helper()
	tb.WaitFor(selector, `document.querySelector('`+selector+`:not(:disabled)')`)
	tb.Do("focus "+selector, chromedp.Focus(chromedp.CSS(selector)))
}

// Press sends one key to what has the focus.
func (tb *Tab) Press(key string) {
	tb.t.Helper()
	tb.Do("press a key", chromedp.KeyEvent(key))
}

// HoldSpace presses the space bar without letting go, until ReleaseSpace.
func (tb *Tab) HoldSpace() {
	tb.t.Helper()
	tb.space(input.DispatchKeyEventTypeKeyDown, " ")
}

// ReleaseSpace lets go of the space bar.
func (tb *Tab) ReleaseSpace() {
	tb.t.Helper()
	tb.space(input.DispatchKeyEventTypeKeyUp, "")
}

func (tb *Tab) space(kind input.DispatchKeyEventType, text string) {
	tb.t.Helper()
	tb.Do("the space bar", command(input.DispatchKeyEvent, input.DispatchKeyEventParams{
		Type: kind, Key: " ", Code: "Space", Text: text, WindowsVirtualKeyCode: 32, NativeVirtualKeyCode: 32,
	}))
}

// HoldMouse presses the mouse's button in the middle of the first element that matches,
// without letting go, until ReleaseMouse at the same place.
func (tb *Tab) HoldMouse(selector string) {
	tb.t.Helper()
	tb.mouse(selector, input.DispatchMouseEventTypeMousePressed)
}

// ReleaseMouse lets go of the mouse's button there.
func (tb *Tab) ReleaseMouse(selector string) {
	tb.t.Helper()
	tb.mouse(selector, input.DispatchMouseEventTypeMouseReleased)
}

func (tb *Tab) mouse(selector string, kind input.DispatchMouseEventType) {
	tb.t.Helper()
	at := Eval[struct{ X, Y float64 }](tb, `(() => {
		const { x, y, width, height } = document.querySelector('`+selector+`').getBoundingClientRect();
		return { X: x + width / 2, Y: y + height / 2 };
	})()`)
	tb.Do("the mouse on "+selector, chromedp.MouseEvent(kind, at.X, at.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// Resize changes the viewport; a mobile one has touch.
func (tb *Tab) Resize(width, height int64, mobile bool) {
	tb.t.Helper()
	var opts []chromedp.EmulateViewportOption
	if mobile {
		opts = append(opts, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	tb.Do("resize the tab", chromedp.EmulateViewport(width, height, opts...))
}

// SetPermission answers the browser's question for the microphone, now and from now on.
func (tb *Tab) SetPermission(setting browser.PermissionSetting) {
	tb.t.Helper()
	ctx, cancel := tb.within()
	defer cancel()
	_, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "microphone"}, Setting: setting,
	})
	if err != nil {
		tb.Fail("set permission: %v", err)
	}
}

// Text returns what an element shows, empty when there is no such element.
func (tb *Tab) Text(selector string) string {
	tb.t.Helper()
	return Eval[string](tb, `(document.querySelector('`+selector+`')?.innerText ?? "").trim()`)
}

// describe tells what the page shows, for a failed test.
func (tb *Tab) describe() string {
	ctx, cancel := context.WithTimeout(tb.ctx, 10*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText + "\n" + JSON.stringify(window.kalami)`))
	if err != nil {
		s = err.Error()
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return s + "\n" + strings.Join(append(slices.Clone(tb.failures), tb.refused...), "\n")
}

// Refused returns the page's requests that were refused or failed, as the browser logs them.
func (tb *Tab) Refused() []string {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return slices.Clone(tb.refused)
}

// CheckClean fails the test if the page broke its own policy, asked another host, or
// threw. Requests that were refused are not failures of the page: see Refused.
func (tb *Tab) CheckClean() {
	tb.t.Helper()
	violations := Eval[[]string](tb, "violations")
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

// Screenshot keeps a picture when KALAMI_TEST_SCREENSHOTS names a folder.
func (tb *Tab) Screenshot(name string) {
	tb.t.Helper()
	dir := os.Getenv(ScreenshotsVariable)
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
	err = os.MkdirAll(dir, 0o750)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), png, 0o600)
	}
	if err != nil {
		tb.t.Logf("screenshot %s: %v", name, err)
	}
}
