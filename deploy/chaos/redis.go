package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// redisServer is a real Redis with its data in a folder and a port that stays the same.
type redisServer struct {
	dir, name string
	port      int
	*child
}

// startRedis starts one and waits until it answers.
func startRedis(ctx context.Context, dir, name string, flags ...string) (*redisServer, error) {
	r := &redisServer{dir: dir, name: name}
	var err error
	if r.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
		return nil, err
	}
	return r, r.start(ctx, flags...)
}

// start starts the server, the first time or again.
func (r *redisServer) start(ctx context.Context, flags ...string) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return err
	}
	argv := append([]string{program, "--port", strconv.Itoa(r.port), "--bind", "127.0.0.1",
		"--dir", filepath.Join(r.dir, r.name), "--save", "", "--appendonly", "yes"}, flags...)
	if r.child, err = startChild(r.dir, r.name, nil, nil, argv...); err != nil {
		return err
	}
	return r.await(ctx, func(ctx context.Context) error { return r.command(ctx, "PING", "+PONG") })
}

// command says one line to the server and checks the answer.
func (r *redisServer) command(ctx context.Context, line, want string) error {
	answer, err := r.ask(ctx, line)
	if err == nil && answer != want {
		err = fmt.Errorf("redis answers %s with %q", line, answer)
	}
	return err
}

// ask says one line to the server and returns the first of its answer.
func (r *redisServer) ask(ctx context.Context, line string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.address())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline) // a connection that was just opened has one
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer), err
}

func (r *redisServer) address() string { return "127.0.0.1:" + strconv.Itoa(r.port) }
func (r *redisServer) url() string     { return "redis://" + r.address() + "/0" }
