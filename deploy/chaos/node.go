package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
)

// kalamiNode is a real Kalami that can be killed and started again at the same address.
type kalamiNode struct {
	name    string
	dir     string
	binary  string
	environ []string
	port    int
	metrics int // the port where it is measured
	*child
}

// start starts the server, the first time or again, and waits until it takes
// conversations.
func (n *kalamiNode) start(ctx context.Context) (err error) {
	environ := append([]string{"HOME=" + n.dir, "PORT=" + strconv.Itoa(n.port), "KALAMI_DATA_DIR=" + n.dir,
		"KALAMI_METRICS_ADDR=127.0.0.1:" + strconv.Itoa(n.metrics)}, n.environ...)
	if n.child, err = startChild(n.dir, n.name, environ, nil, n.binary, "serve"); err != nil {
		return err
	}
	return n.await(ctx, n.ready)
}

// ready says whether the node takes new conversations.
func (n *kalamiNode) ready(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.address()+"/readyz", nil)
	if err != nil {
		return err
	}
	r.Close = true
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: %s", n.name, res.Status)
	}
	return nil
}

// restart ends the node as a deployment does, and starts it again.
func (n *kalamiNode) restart(ctx context.Context) error {
	if err := n.stop(syscall.SIGTERM); err != nil {
		return err
	}
	return n.start(ctx)
}

func (n *kalamiNode) address() string { return "127.0.0.1:" + strconv.Itoa(n.port) }
