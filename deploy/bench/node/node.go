// Package node runs a Kalami for a bench to measure: the real binary, on a free port of
// the loopback, with a database of its own.
package node

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

// Node is a Kalami that was started. Stop it.
type Node struct {
	// URL is where it serves, "http://127.0.0.1:12345".
	URL string
	cmd *exec.Cmd
	dir string
	// read is closed when its output has ended.
	read chan struct{}
}

// grace is how long a server may take to stop, or to start.
const grace = 20 * time.Second

// Start starts a binary and waits until it says where it serves. Its environment is
// environ and nothing of ours: what is set in this shell is for another server. All
// learners come from here, so that nobody's rate is limited. When ctx ends it is stopped.
func Start(ctx context.Context, binary string, environ ...string) (_ *Node, err error) {
	dir, err := os.MkdirTemp("", "kalami-bench-")
	if err != nil {
		return nil, err
	}
	s := &Node{dir: dir, read: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, binary, "serve")
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PORT=0", "KALAMI_DATA_DIR=" + dir,
		"KALAMI_LOG_LEVEL=WARN", "KALAMI_RATE_LIMITS=false", "KALAMI_METRICS_ADDR=off"}, environ...)
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
	case s.URL = <-found:
		return s, nil
	case <-s.read:
		err = fmt.Errorf("%s did not start", binary)
	case <-time.After(grace):
		err = fmt.Errorf("%s has not said where it serves", binary)
	}
	return nil, errors.Join(err, s.Stop())
}

// address finds the line in which a server says where it is.
var address = regexp.MustCompile(`Kalami is at (http://\S+)`)

// follow reads the server's output to its end.
func (s *Node) follow(out io.Reader, found chan<- string) {
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

// Stop ends the server, waits for it and removes what it kept.
func (s *Node) Stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	<-s.read
	return errors.Join(s.cmd.Wait(), os.RemoveAll(s.dir))
}
