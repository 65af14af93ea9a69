package failover

import (
	"context"
	"sync"

	"github.com/failsafe-go/failsafe-go/bulkhead"

	"kalami/providers"
)

// bulkheads bound the calls under way at one vendor, and each tenant's among them, so
// that neither a slow vendor nor one school takes all there is. Calls for no tenant are
// bounded by the vendor alone. Nobody waits at one: a
// learner is better served by the next vendor. Safe for concurrent use.
type bulkheads struct {
	vendor    bulkhead.Bulkhead[any]
	perTenant int

	mu      sync.Mutex
	tenants map[string]int // calls under way; no entry for none
}

func newBulkheads(concurrent, perTenant int) *bulkheads {
	return &bulkheads{vendor: bulkhead.New[any](uint(concurrent)), perTenant: perTenant, tenants: make(map[string]int)}
}

// enter takes a place for a call of ctx's tenant; leave gives it back. leave is nil when
// there is none.
func (b *bulkheads) enter(ctx context.Context) (leave func()) {
	tenant := providers.TenantOf(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if tenant != "" && b.tenants[tenant] >= b.perTenant || !b.vendor.TryAcquirePermit() {
		return nil
	}
	if tenant != "" {
		b.tenants[tenant]++
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.vendor.ReleasePermit()
		if tenant == "" {
			return
		}
		if b.tenants[tenant]--; b.tenants[tenant] == 0 {
			delete(b.tenants, tenant)
		}
	}
}
