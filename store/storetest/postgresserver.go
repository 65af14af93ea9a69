package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresServer is a Postgres of a test's own, on loopback. Its processes may be killed and
// frozen; what it was told to keep is there when it is started again.
type PostgresServer struct {
	url  string
	data string
	args []string
	bin  string
	as   *syscall.Credential
	cmd  *exec.Cmd // nil while it does not run
}

// NewPostgresServer makes a database cluster, starts it, and ends it when the test is over.
// The test is skipped when Postgres is not installed, and fails where everything has to be
// there.
func NewPostgresServer(tb testing.TB) *PostgresServer {
	tb.Helper()
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // the pattern is a good one
	if len(all) == 0 {
		missing(tb, "Postgres is not installed")
	}
	folder := tb.TempDir()
	for _, dir := range []string{folder, filepath.Dir(folder)} { // the server may be somebody else
		must(tb, os.Chmod(dir, 0o711)) //nolint:gosec // it may be passed, not read
	}
	s := &PostgresServer{data: filepath.Join(folder, "data"), bin: filepath.Dir(all[len(all)-1])}
	must(tb, os.Mkdir(s.data, 0o700))
	s.mayNotBeRoot(tb)
	setup := s.command("initdb", "-D", s.data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	if out, err := setup.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	for range 5 { // the port is only probably free
		port := freePorts(tb, 1)[0]
		s.url = "postgres://postgres@" + net.JoinHostPort("127.0.0.1", port) + "/postgres?sslmode=disable"
		s.args = []string{"-D", s.data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"}
		if err := s.start(tb.Context()); err == nil {
			tb.Cleanup(func() { s.Kill(tb) })
			return s
		}
	}
	tb.Fatal("Postgres does not start")
	return nil
}

// mayNotBeRoot gives the data to whom Postgres can run as when we are root, which it refuses
// to be.
func (s *PostgresServer) mayNotBeRoot(tb testing.TB) {
	tb.Helper()
	if os.Getuid() != 0 {
		return
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	must(tb, err)
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	must(tb, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	must(tb, err)
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	must(tb, os.Chown(s.data, int(uid), int(gid)))
}

// command is one of Postgres' programs.
func (s *PostgresServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// URL is that of its only database.
func (s *PostgresServer) URL() string { return s.url }

// start runs the server and waits until it answers.
func (s *PostgresServer) start(ctx context.Context) error {
	s.cmd = s.command("postgres", s.args...) // ended by Kill
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		one, cancel := context.WithTimeout(ctx, time.Second)
		conn, err := pgx.Connect(one, s.url)
		if err == nil {
			err = conn.Close(one)
		}
		cancel()
		if err == nil {
			return nil
		}
	}
	return errors.Join(errors.New("it does not answer"), s.kill())
}

// Start starts a server again that was killed, and waits until it answers.
func (s *PostgresServer) Start(tb testing.TB) {
	tb.Helper()
	if err := s.start(tb.Context()); err != nil {
		tb.Fatalf("start Postgres again: %v", err)
	}
}

// Kill ends all of its processes at once (SIGKILL). Killing it again changes nothing.
func (s *PostgresServer) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.kill(); err != nil {
		tb.Errorf("kill Postgres: %v", err)
	}
}

func (s *PostgresServer) kill() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	err := s.signal(syscall.SIGSTOP) // it starts no more of them
	s.cmd = nil
	for _, pid := range family(cmd.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended a moment ago
	}
	_ = cmd.Wait() // it says that it was killed
	return err
}

// Freeze stops all of its processes as if the machine hung (SIGSTOP); Thaw lets them go on.
func (s *PostgresServer) Freeze(tb testing.TB) {
	tb.Helper()
	must(tb, s.signal(syscall.SIGSTOP))
	must(tb, s.signal(syscall.SIGSTOP)) // those that were started in between
}

// Thaw is what ends Freeze.
func (s *PostgresServer) Thaw(tb testing.TB) {
	tb.Helper()
	must(tb, s.signal(syscall.SIGCONT))
}

// signal sends a signal to the server and to what it has started.
func (s *PostgresServer) signal(sig syscall.Signal) error {
	if s.cmd == nil {
		return errors.New("it does not run")
	}
	for _, pid := range family(s.cmd.Process.Pid) {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%v to %d: %w", sig, pid, err)
		}
	}
	return nil
}

// family is a process and those that it has started, each of which may have a session of its
// own, as Postgres' have.
func family(pid int) []int {
	all := []int{pid}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is a good one
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var state string
		var parent int
		// The name, which may hold anything, ends with the last bracket.
		_, err = fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &parent)
		if child, nerr := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && nerr == nil && parent == pid {
			all = append(all, child)
		}
	}
	return all
}
