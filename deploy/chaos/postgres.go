package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// postgresServer is a real Postgres with its data in a folder and a port that stays the
// same. What it has told to be kept is written to the operating system and not synced:
// processes are killed here, not machines.
type postgresServer struct {
	dir, bin string
	port     int
	as       *syscall.Credential
	*child
}

// startPostgres makes a database cluster in a folder, starts it and waits until it
// answers.
func startPostgres(ctx context.Context, dir string) (*postgresServer, error) {
	p := &postgresServer{dir: dir}
	var err error
	if p.bin, err = postgresFolder(); err != nil {
		return nil, err
	}
	if p.port, err = freePort(); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	if p.as, err = notRoot(data); err != nil {
		return nil, err
	}
	setup, err := startChild(dir, "initdb", nil, p.as, filepath.Join(p.bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	if err != nil {
		return nil, err
	}
	select {
	case <-setup.done:
	case <-ctx.Done():
		setup.kill()
		return nil, context.Cause(ctx)
	}
	if setup.err != nil {
		return nil, fmt.Errorf("initdb: %w (see %s)", setup.err, setup.log.Name())
	}
	return p, p.start(ctx)
}

// start starts the server, the first time or again.
func (p *postgresServer) start(ctx context.Context) error {
	var err error
	p.child, err = startChild(p.dir, "postgres", nil, p.as, filepath.Join(p.bin, "postgres"), "-D", filepath.Join(p.dir, "postgres"),
		"-p", strconv.Itoa(p.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200")
	if err != nil {
		return err
	}
	return p.await(ctx, func(ctx context.Context) error {
		return exec.CommandContext(ctx, filepath.Join(p.bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port)).Run()
	})
}

// processes are numbers of processes.
type processes []int

// signal sends a signal to all of them; one that has ended since is left alone.
func (all processes) signal(s syscall.Signal) {
	for _, pid := range all {
		_ = syscall.Kill(pid, s) // it may have ended a moment ago
	}
}

// family is the server and what it has started, each of which has a session of its own.
func (p *postgresServer) family() processes {
	all := processes{p.cmd.Process.Pid}
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
		if pid, perr := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && perr == nil && parent == all[0] {
			all = append(all, pid)
		}
	}
	return all
}

// signalAll sends a signal to the server and to what it has started, which it returns.
func (p *postgresServer) signalAll(s syscall.Signal) processes {
	p.child.signal(s) // it starts no more of them
	all := p.family()
	all.signal(s)
	return all
}

// killAll ends all of the server at once, as the loss of its machine does, and waits.
func (p *postgresServer) killAll() {
	p.signalAll(syscall.SIGSTOP).signal(syscall.SIGKILL)
	<-p.done
}

func (p *postgresServer) url() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", p.port)
}

// postgresFolder finds the server's programs, which Debian keeps out of the path.
func postgresFolder() (string, error) {
	if all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(all) > 0 {
		slices.SortFunc(all, func(a, b string) int { return len(a) - len(b) }) // 9 before 10
		return filepath.Dir(all[len(all)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	return filepath.Dir(path), err
}

// notRoot gives the folder to whom Postgres can run as when we are root, which it
// refuses to be.
func notRoot(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // we are somebody already
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(folder, int(uid), int(gid))
}
