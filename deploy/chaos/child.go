package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// grace is how long a process may take to start, or to end when it is told to.
const grace = 30 * time.Second

// child is a process that this program has started, with a process group of its own, so
// that nobody else's is ever signalled. Its output is in a log of its own.
type child struct {
	name string
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{} // closed when it has ended
	err  error         // how, once done is closed
}

// startChild starts a program in a folder with an environment. as, when it is not nil, is
// whom it runs as.
func startChild(dir, name string, environ []string, as *syscall.Credential, argv ...string) (*child, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	c := &child{name: name, log: log, done: make(chan struct{})}
	c.cmd = exec.Command(argv[0], argv[1:]...)
	c.cmd.Dir, c.cmd.Env = "/", append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, environ...)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: as}
	if err := c.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), log.Close())
	}
	go func() { // it ends with the process, which stop and kill wait for
		defer close(c.done)
		c.err = errors.Join(c.cmd.Wait(), log.Close())
	}()
	return c, nil
}

// signal sends a signal to the process and to those that it has started itself.
func (c *child) signal(s syscall.Signal) {
	select {
	case <-c.done: // its number may be somebody else's by now
	default:
		_ = syscall.Kill(-c.cmd.Process.Pid, s) // it may have ended a moment ago
	}
}

// ended says whether the process has ended.
func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// kill ends the process without a chance to say anything, and waits.
func (c *child) kill() {
	c.signal(syscall.SIGKILL)
	<-c.done
}

// stop asks the process to end by a signal and waits; one that does not end in time is
// killed, and the error says so.
func (c *child) stop(s syscall.Signal) error {
	c.signal(syscall.SIGCONT) // a frozen one hears nothing
	c.signal(s)
	select {
	case <-c.done:
		return nil
	case <-time.After(grace):
		c.kill()
		return fmt.Errorf("%s did not end within %v and was killed", c.name, grace)
	}
}

// await polls until ready says so.
func (c *child) await(ctx context.Context, ready func(context.Context) error) error {
	deadline := time.Now().Add(grace)
	for {
		one, cancel := context.WithTimeout(ctx, time.Second)
		err := ready(one)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("%s ended while it started: %w (see %s)", c.name, c.err, c.log.Name())
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready after %v: %w (see %s)", c.name, grace, err, c.log.Name())
		}
	}
}

// freePort is a port of the loopback that nobody listens on at the moment.
func freePort() (int, error) {
	ports, err := freePorts(1)
	if err != nil {
		return 0, err
	}
	return ports[0], nil
}

// freePorts are so many of them, all different.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all are held until there are enough
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
