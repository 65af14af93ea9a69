package live_test

import (
	"log/slog"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"kalami/store/live"
	"kalami/store/storetest"
)

func TestMain(m *testing.M) {
	// Outages are made here; what the library says of them is too much to read.
	redis.SetLogger(live.NewLibraryLog(slog.New(slog.DiscardHandler)))
	// The one that Close does not wait for, as it says.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

func TestEmbedded(t *testing.T) { storetest.RunLive(t, storetest.Embedded) }

func TestRedis(t *testing.T) { storetest.RunLive(t, storetest.Redis) }

// TestCluster runs the suite on three masters that it starts.
func TestCluster(t *testing.T) { storetest.RunLive(t, storetest.NewRedisCluster(t).Fresh) }

// TestClusterByOne: with cluster=true one address is enough to find all masters.
func TestClusterByOne(t *testing.T) {
	cluster := storetest.NewRedisCluster(t)
	s := storetest.OpenLive(t, live.Options{URL: "redis://" + cluster.Masters[1].Addr + "?cluster=true"})
	n := newNode(t, s, 30)
	if err := n.say(); err != nil {
		t.Fatal(err)
	}
	n.wantWhole()
}
