package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// server is a Kalami that we have started.
type server struct {
	url string
	cmd *exec.Cmd
	dir string
	// read is closed when its output has ended.
	read chan struct{}
}

// grace is how long a server may take to stop, or to start.
const grace = 20 * time.Second

// startServer starts the binary on a free port with a database of its own. Its
// recognition and its voice are the engine's. stop it.
func startServer(ctx context.Context, binary, engine string) (_ *server, err error) {
	dir, err := os.MkdirTemp("", "kalami-hear-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, read: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, binary, "serve")
	// Not ours: what is set in this shell for another server.
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PORT=0", "KALAMI_DATA_DIR=" + dir, "KALAMI_LOG_LEVEL=WARN",
		"KALAMI_RATE_LIMITS=false", // all learners come from here
		// The engine loads a language's model with each stream, which Deepgram does not.
		"KALAMI_DEEPGRAM_DIAL_TIMEOUT=10s",
		"DEEPGRAM_API_KEY=none", "DEEPGRAM_BASE_URL=" + engine, "KALAMI_STT_LANGUAGES=en=nova,es=nova,fr=nova,de=nova",
		"ELEVENLABS_API_KEY=none", "ELEVENLABS_BASE_URL=" + engine}
	s.cmd.Dir, s.cmd.Stderr = dir, os.Stderr
	s.cmd.Cancel, s.cmd.WaitDelay = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }, grace
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	found := make(chan string, 1)
	go s.follow(out, found)
	select {
	case s.url = <-found:
		return s, nil
	case <-s.read:
		err = fmt.Errorf("%s did not start", binary)
	case <-time.After(grace):
		err = fmt.Errorf("%s has not said where it serves", binary)
	}
	return nil, errors.Join(err, s.stop())
}

// address finds the line in which a server says where it is.
var address = regexp.MustCompile(`Kalami is at (http://\S+)`)

// follow reads the server's output to its end.
func (s *server) follow(out io.Reader, found chan<- string) {
	defer close(s.read)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			select {
			case found <- m[1]:
			default: // said twice
			}
		}
	}
}

// stop ends the server, waits for it and removes what it kept.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	<-s.read
	return errors.Join(s.cmd.Wait(), os.RemoveAll(s.dir))
}
