package live_test

import (
	"testing"

	"go.uber.org/goleak"

	"kalami/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEmbedded(t *testing.T) { storetest.RunLive(t, storetest.Embedded) }

func TestRedis(t *testing.T) { storetest.RunLive(t, storetest.Redis) }
