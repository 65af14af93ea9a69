package live

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// answerWait is how long a command's writing and reading may take, each, and
	// dialWait how long dialling may.
	answerWait, dialWait = 200 * time.Millisecond, 500 * time.Millisecond
	// poolWait is how long a full pool may let a caller wait.
	poolWait = 100 * time.Millisecond
	// clusterWait is how long a call to a cluster may take with all of its attempts. They
	// are there for slots that have moved; a master that does not answer would be asked
	// four times.
	clusterWait = 300 * time.Millisecond
)

// connect returns a client of what a URL names, with go-redis' patience overridden, which
// is made for batch work; see the package's page. Nothing is dialled yet.
func connect(text string, h *health) (redis.UniversalClient, error) {
	clustered, text, err := readClusterURL(text)
	if err != nil {
		return nil, err
	}
	if !clustered {
		o, err := redis.ParseURL(text)
		if err != nil {
			return nil, err
		}
		setTimes(o, answerWait, poolWait)
		return newGuardedClient(h, o, nil), nil
	}
	o, err := redis.ParseClusterURL(text)
	if err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	o.ReadTimeout, o.WriteTimeout, o.DialTimeout, o.PoolTimeout = answerWait, answerWait, dialWait, poolWait
	o.DialerRetries = 1
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	var cluster *redis.ClusterClient // set before any node is dialled
	o.NewClient = func(node *redis.Options) *redis.Client {
		return newGuardedClient(h, node, func(ctx context.Context, addr string) bool { return hasMaster(ctx, cluster, addr) })
	}
	cluster = redis.NewClusterClient(o)
	cluster.AddHook(deadline(clusterWait))
	return cluster, nil
}

// readClusterURL tells whether a URL names a cluster: by further addresses in parameters
// addr, or, with the address of one that knows the others, by cluster=true, which is not
// go-redis' own and removed.
func readClusterURL(text string) (clustered bool, plain string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return false, "", err
	}
	q := u.Query()
	if q.Has("cluster") {
		if clustered, err = strconv.ParseBool(q.Get("cluster")); err != nil {
			return false, "", err
		}
		q.Del("cluster")
		u.RawQuery = q.Encode()
		text = u.String()
	}
	clustered = clustered || q.Has("addr")
	if db := strings.Trim(u.Path, "/"); clustered && cmp.Or(db, "0") != "0" {
		return false, "", errors.New("live: a cluster has no numbered databases")
	}
	return clustered, text, nil
}

// setTimes bounds how long a command to one server may take. It is not sent again, since
// one that got no answer may have had its effect.
func setTimes(o *redis.Options, answer, pool time.Duration) {
	o.ContextTimeoutEnabled = true
	o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = answer, answer, pool
	o.DialTimeout = dialWait
	o.DialerRetries = 1
	o.MaxRetries = -1 // none; 0 would mean the library's 3
	o.DisableIdentity = true
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// hasMaster tells whether a cluster has a master there, as far as can be known.
func hasMaster(ctx context.Context, c *redis.ClusterClient, addr string) bool {
	var mu sync.Mutex // the function is called for all at once
	var masters []string
	err := c.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		masters = append(masters, node.Options().Addr)
		return nil
	})
	return err != nil || slices.Contains(masters, addr)
}

// deadline is a go-redis hook that bounds calls with all of their attempts.
type deadline time.Duration

// DialHook implements [redis.Hook]; dialling has a limit of its own.
func (deadline) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements [redis.Hook].
func (d deadline) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(d))
		defer cancel()
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements [redis.Hook].
func (d deadline) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(d))
		defer cancel()
		return next(ctx, cmds)
	}
}
