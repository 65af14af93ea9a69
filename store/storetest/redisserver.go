package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kalami/store/live"
)

// RedisServer is a redis-server of a test's own, on loopback, without a disk: when it is
// killed, all is lost.
type RedisServer struct {
	// Addr is its host and port, which stay the same when it is started again.
	Addr string

	args []string
	cmd  *exec.Cmd // nil while it does not run
}

// NewRedisServer starts one and ends it when the test is over. The test is skipped when
// redis-server is not installed, and fails where everything has to be there.
func NewRedisServer(tb testing.TB, args ...string) *RedisServer {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		missing(tb, "redis-server is not installed")
	}
	for range 5 { // the port is only probably free
		ports := freePorts(tb, 2)
		s := &RedisServer{Addr: net.JoinHostPort("127.0.0.1", ports[0])}
		s.args = append([]string{"--port", ports[0], "--cluster-port", ports[1], "--bind", "127.0.0.1", "--dir", tb.TempDir(),
			"--save", "", "--appendonly", "no", "--daemonize", "no"}, args...)
		if err := s.start(tb.Context()); err == nil {
			tb.Cleanup(func() { s.Kill(tb) })
			return s
		}
	}
	tb.Fatal("redis-server does not start")
	return nil
}

// freePorts returns ports that nobody listens on just now.
func freePorts(tb testing.TB, n int) (ports []string) {
	tb.Helper()
	for range n {
		l, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		defer l.Close() // all at the end, so that they differ
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports
}

// URL is for one server, not a cluster.
func (s *RedisServer) URL() string { return "redis://" + s.Addr }

// client is one without patience, for the test's own commands.
func (s *RedisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true})
}

// start runs the server and waits until it answers.
func (s *RedisServer) start(ctx context.Context) error {
	s.cmd = exec.Command("redis-server", s.args...) // ended by Kill
	if err := s.cmd.Start(); err != nil {
		return err
	}
	c := s.client()
	defer c.Close()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if c.Ping(ctx).Err() == nil {
			// Another's server may have that port.
			if info, err := c.Info(ctx, "server").Result(); err == nil && strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", s.cmd.Process.Pid)) {
				return nil
			}
			break
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			break
		}
	}
	return errors.Join(errors.New("it does not answer"), s.kill())
}

// kill ends the server if it runs, and waits for it.
func (s *RedisServer) kill() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	_ = cmd.Wait() // it says that it was killed
	return nil
}

// Kill ends the server at once (SIGKILL). Killing it again changes nothing.
func (s *RedisServer) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.kill(); err != nil {
		tb.Errorf("kill redis-server: %v", err)
	}
}

// Start starts a server again that was killed, empty, and waits until it answers.
func (s *RedisServer) Start(tb testing.TB) {
	tb.Helper()
	if err := s.start(tb.Context()); err != nil {
		tb.Fatalf("start redis-server again: %v", err)
	}
}

// Freeze stops the server as if it hung (SIGSTOP); Thaw lets it go on.
func (s *RedisServer) Freeze(tb testing.TB) { s.signal(tb, syscall.SIGSTOP) }

// Thaw is what ends Freeze.
func (s *RedisServer) Thaw(tb testing.TB) { s.signal(tb, syscall.SIGCONT) }

func (s *RedisServer) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		tb.Fatalf("%v: %v", sig, err)
	}
}

// Do runs a command on the server.
func (s *RedisServer) Do(tb testing.TB, command ...any) string {
	tb.Helper()
	c := s.client()
	defer c.Close()
	got, err := c.Do(tb.Context(), command...).Result()
	if err != nil {
		tb.Fatalf("%v: %v", command, err)
	}
	return fmt.Sprint(got)
}

// RedisCluster is three masters that share the keys.
type RedisCluster struct{ Masters [3]*RedisServer }

// NewRedisCluster starts one and waits until all of its servers know that it is whole.
func NewRedisCluster(tb testing.TB) *RedisCluster {
	tb.Helper()
	const slots = 16384
	c := &RedisCluster{}
	for i := range c.Masters {
		c.Masters[i] = NewRedisServer(tb, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-require-full-coverage", "no")
		c.Masters[i].Do(tb, "CLUSTER", "ADDSLOTSRANGE", i*slots/3, (i+1)*slots/3-1)
	}
	for _, other := range c.Masters[1:] {
		host, port, _ := net.SplitHostPort(other.Addr)
		c.Masters[0].Do(tb, "CLUSTER", "MEET", host, port, other.args[3])
	}
	for _, m := range c.Masters {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			info := m.Do(tb, "CLUSTER", "INFO")
			if strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_size:3") {
				break
			}
			if time.Now().After(deadline) {
				tb.Fatalf("the cluster does not get whole:\n%s", info)
			}
		}
	}
	return c
}

// URL names two of the masters; the third is found through them.
func (c *RedisCluster) URL() string {
	return "redis://" + c.Masters[0].Addr + "?addr=" + c.Masters[1].Addr
}

// Fresh gives a key prefix of its own in the cluster.
func (c *RedisCluster) Fresh(testing.TB) live.Options {
	return live.Options{URL: c.URL(), Prefix: "kalami-test-" + strings.ToLower(rand.Text())}
}
