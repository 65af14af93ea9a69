package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"

	"kalami/gateway/learner"
	"kalami/gateway/wire"
)

const (
	// readersGrow is how much resident memory all nodes together may take for a thousand
	// readers that never read (REL-9), in bytes.
	readersGrow = 96 << 20
	// readerEnds is when such a reader has been let go: a ping comes every 10 s, its answer
	// has 5 s, and the machine is busy.
	readerEnds = 20 * time.Second
	// tinyBuffer is the kernel's receive buffer of such a reader, in bytes: what it never
	// reads waits in the node and not here.
	tinyBuffer = 4 << 10
	// entryTries is how often such a reader tries to come in, and entryPause the wait between.
	entryTries, entryPause = 5, 200 * time.Millisecond
)

// readers opens voice sockets that are never read from, until the nodes let them go: row 6.
// Each is closed in a way from which a client comes back; the memory of the nodes does not
// grow much, and the learners talk on.
func readers() fault {
	return fault{name: "readers", rows: []int{6}, takes: 22 * time.Second, short: 20, long: 1000, run: func(ctx context.Context, t *trial, times int) (int, error) {
		before := t.memory()
		most := before
		var all sync.WaitGroup
		door := make(chan struct{}, 8) // so many come in at once
		ends := make(chan error, times)
		for range times {
			all.Go(func() {
				door <- struct{}{}
				conn, err := t.neverRead(ctx)
				for tries := 1; err != nil && tries < entryTries && ctx.Err() == nil; tries++ {
					time.Sleep(entryPause) // on a busy machine the balancer may have cut it off
					conn, err = t.neverRead(ctx)
				}
				<-door
				if err == nil {
					err = letGo(ctx, conn)
				}
				ends <- err
			})
		}
		for got := 0; got < times; {
			select {
			case err := <-ends:
				if got++; err != nil {
					t.wrongf("readers: %v", err)
				}
			case <-time.After(200 * time.Millisecond):
			}
			most = max(most, t.memory())
		}
		all.Wait()
		t.figuref("memory of all nodes %d MiB before, %d MiB at most", before>>20, most>>20)
		if grown := most - before; grown > readersGrow {
			t.wrongf("readers: the nodes' memory has grown by %d MiB", grown>>20)
		}
		return times, context.Cause(ctx)
	}}
}

// neverRead begins a lesson on a socket with a small receive buffer.
func (t *trial) neverRead(ctx context.Context) (*websocket.Conn, error) {
	account, err := learner.Guest(ctx, t.front.url(), "en")
	if err != nil {
		return nil, err
	}
	defer account.Close()
	profile, err := account.Profile(ctx, "en", "B2")
	if err != nil {
		return nil, err
	}
	ticket, url, err := account.Ticket(ctx, learner.Wish{ProfileID: profile})
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) {
			set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, tinyBuffer)
		})
		return errors.Join(err, set)
	}}
	n := t.nodes[0].address()
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{ //nolint:bodyclose // the socket's own
		Subprotocols: []string{wire.Subprotocol, wire.TokenPrefix + ticket},
		HTTPClient: &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, n) // the load balancer's own buffers would hold it all
		}}},
	})
	if err != nil {
		return nil, fmt.Errorf("a reader does not come in: %w", err)
	}
	conn.SetReadLimit(1 << 20)
	return conn, nil
}

// letGo waits as long as a node may keep such a reader, and reads what is there then: the
// socket must have ended, in a way from which a client comes back.
func letGo(ctx context.Context, conn *websocket.Conn) error {
	defer func() { _ = conn.CloseNow() }()
	if err := sleep(ctx, readerEnds); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		if _, _, err := conn.Read(ctx); err != nil {
			switch code := websocket.CloseStatus(err); {
			case ctx.Err() != nil:
				return fmt.Errorf("one was not let go within %v", readerEnds)
			case code == -1, code == websocket.StatusGoingAway, code >= 4100 && code < 4200:
				return nil
			default:
				return fmt.Errorf("one was let go with %w", err)
			}
		}
	}
}

// memory is what is resident of all nodes, in bytes.
func (t *trial) memory() (sum int) {
	for _, n := range t.nodes {
		sum += n.resident()
	}
	return sum
}

// resident is the node's resident memory in bytes, 0 when it does not run.
func (n *kalamiNode) resident() int {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(n.cmd.Process.Pid) + "/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1]) // the kernel writes numbers
	return pages * os.Getpagesize()
}
