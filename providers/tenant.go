package providers

import "context"

// tenantKey is the context key of [WithTenant].
type tenantKey struct{}

// WithTenant returns a context whose calls are made for a tenant, so that whoever
// shares vendors among tenants can keep one from taking them all. The name goes to no
// vendor and into no metric.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantOf returns the tenant that a call is made for, or "" when nobody said.
func TenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}
