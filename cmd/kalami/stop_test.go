package main

import (
	"bufio"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/learner"
	"kalami/gateway/wire"
	"kalami/providers/simulate"
	"kalami/session"
)

// longAnswer is what a learner types to hear the tutor's long second answer, whose
// first sentence lasts about three seconds.
var longAnswer = session.CreateItem{Text: simulate.Scripts()["en"].Turns[1].Learner}

// speakAtLength has the tutor of p begin that answer, and returns when some of it was
// played.
func speakAtLength(p *pupil) (response string) {
	p.t.Helper()
	await[session.Created](p, 1)
	if err := p.call.Send(longAnswer); err != nil {
		p.t.Fatal(err)
	}
	p.until("the long answer", func() bool {
		all := told[session.ResponseCreated](p)
		if len(all) == 0 {
			return false
		}
		response = all[len(all)-1].Response.ID
		return len(all) == 2 && p.played(response) > 0
	})
	return response
}

// A server that is told to stop while the tutor speaks lets the sentence end, sends the
// learner elsewhere, and refuses everybody else meanwhile. Its run returns; that no
// goroutine is left is checked when all tests are over.
func TestStopFinishesTheSentence(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.BenchLatency())
		p := join(t, h.url(), "en", "B2")
		late, err := learner.Guest(t.Context(), h.url(), "en")
		if err != nil {
			t.Fatal(err)
		}
		defer late.Close()
		profile, err := late.Profile(t.Context(), "en", "B2")
		if err != nil {
			t.Fatal(err)
		}
		response := speakAtLength(p)
		h.stop()
		if away := await[session.GoAway](p, 1); away.Reason != "deploy" || away.TimeLeftMS != 5000 || !away.Reconnect.Resume {
			t.Errorf("sent away with %+v", away)
		}
		checkDraining(t, h, late, profile)
		if err := <-p.ended; websocket.CloseStatus(err) != websocket.StatusServiceRestart {
			t.Errorf("closed with %v, want 1012", err)
		}
		checkSentence(t, p, response)
		if err := h.end(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// checkDraining looks at a server that is about to stop from outside.
func checkDraining(t *testing.T, h *house, late *learner.Account, profile string) {
	t.Helper()
	for path, want := range map[string]int{"/readyz": http.StatusServiceUnavailable, "/livez": http.StatusOK} {
		if got := status(t, h.url()+path); got != want {
			t.Errorf("%s says %d while the server stops, want %d", path, got, want)
		}
	}
	_, _, err := late.Ticket(t.Context(), learner.Wish{ProfileID: profile})
	refused, ok := errors.AsType[*learner.StatusError](err)
	if !ok || refused.Status != http.StatusServiceUnavailable || refused.RetryAfter <= 0 {
		t.Errorf("a new ticket: %v, want 503 with Retry-After", err)
	}
}

// status asks for a page and returns the answer's status.
func status(t *testing.T, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	return res.StatusCode
}

// checkSentence checks that the sentence which was being spoken was sent to its end, and
// the answer was not.
func checkSentence(t *testing.T, p *pupil, response string) {
	t.Helper()
	sentence, heard := 0, 0
	for _, m := range told[session.Mark](p) {
		if m.ResponseID == response && m.Name == "s1" {
			sentence = int(m.AtMS)
		}
	}
	stream := told[session.ResponseCreated](p)[1].Stream
	for _, a := range p.all() {
		if a.frame.Stream == stream {
			heard += len(a.frame.Audio) / 2 * 1000 / 24000
		}
	}
	if sentence == 0 || heard < sentence {
		t.Errorf("%d ms of audio came; the first sentence ends at %d ms", heard, sentence)
	}
	for _, d := range told[session.ResponseDone](p) {
		if d.Response.ID == response && d.Response.Status != "cancelled" {
			t.Errorf("the whole answer was spoken: %+v", d.Response)
		}
	}
	cut := told[session.Truncated](p)
	if len(cut) == 0 || !strings.HasPrefix(simulate.Scripts()["en"].Turns[1].Tutor, cut[len(cut)-1].Transcript) {
		t.Errorf("told that it heard %+v", cut)
	}
}

// A client that reads nothing, answers nothing and does not close is cut off when the
// grace is over.
func TestStopCutsOffWhoIgnoresIt(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.BenchLatency(), "KALAMI_SHUTDOWN_GRACE=1s")
	account, err := learner.Guest(t.Context(), h.url(), "en")
	if err != nil {
		t.Fatal(err)
	}
	defer account.Close()
	profile, err := account.Profile(t.Context(), "en", "B2")
	if err != nil {
		t.Fatal(err)
	}
	ticket, url, err := account.Ticket(t.Context(), learner.Wish{ProfileID: profile})
	if err != nil {
		t.Fatal(err)
	}
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{wire.Subprotocol, wire.TokenPrefix + ticket}})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	for frames := 0; frames < 3; {
		kind, _, err := ws.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if kind == websocket.MessageBinary {
			frames++
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- h.end() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the server does not stop")
	}
}

// build builds the program as it is shipped and returns its path.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kalami")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// unready waits until a program that was told to stop says that it is not ready: not later
// than it says so in its log, which is what it does first.
func unready(t *testing.T, base string, log *lockedBuffer, stopped time.Time) {
	t.Helper()
	for said := false; ; {
		got := status(t, base+"/readyz")
		if got == http.StatusServiceUnavailable {
			t.Logf("not ready %v after SIGTERM", time.Since(stopped).Round(time.Millisecond))
			return
		}
		if said || time.Since(stopped) > patience {
			t.Fatalf("/readyz says %d after the log has said that the node stops\n%s", got, log)
		}
		said = strings.Contains(log.String(), "msg=stopping")
	}
}

// The program itself: SIGTERM in mid-sentence, and a variable that makes no sense.
func TestProcess(t *testing.T) {
	t.Parallel()
	path := build(t)
	t.Run("SIGTERM", func(t *testing.T) {
		t.Parallel()
		c := exec.CommandContext(t.Context(), path)
		c.Dir = t.TempDir()
		dir := t.TempDir()
		c.Env = []string{"PORT=0", "KALAMI_METRICS_ADDR=off", "KALAMI_HISTORY_DIR=" + dir, "PATH=" + os.Getenv("PATH")}
		log := &lockedBuffer{}
		c.Stderr = log
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		base := ""
		for lines := bufio.NewScanner(out); base == "" && lines.Scan(); {
			if _, after, ok := strings.Cut(lines.Text(), "Kalami is at "); ok {
				base, _, _ = strings.Cut(after, " ")
			}
		}
		p := join(t, base, "en", "B2")
		response := speakAtLength(p)
		stopped := time.Now()
		if err := c.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		unready(t, base, log, stopped)
		await[session.GoAway](p, 1)
		if err := <-p.ended; websocket.CloseStatus(err) != websocket.StatusServiceRestart {
			t.Errorf("closed with %v, want 1012", err)
		}
		checkSentence(t, p, response)
		if err := c.Wait(); err != nil {
			t.Errorf("the program ended with %v\n%s", err, log)
		}
		checkCounts(t, dir)
	})
	t.Run("wrong configuration", func(t *testing.T) {
		t.Parallel()
		var stdout, stderr strings.Builder
		c := exec.CommandContext(t.Context(), path)
		c.Dir, c.Env, c.Stdout, c.Stderr = t.TempDir(), []string{"PORT=eight"}, &stdout, &stderr
		err := c.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != exitUsage {
			t.Errorf("ended with %v, want exit code %d", err, exitUsage)
		}
		if got := stderr.String(); got != "kalami: PORT: \"eight\" is not a whole number\n" || stdout.Len() > 0 {
			t.Errorf("said %q and %q, want one line that names the variable", got, stdout.String())
		}
	})
}
