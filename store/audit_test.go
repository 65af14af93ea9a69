package store_test

import (
	"strings"
	"testing"

	"kalami/session/learn"
	"kalami/store/storetest"
)

// TestAudit: what is in the audit log stays there as it is, whoever asks the database.
func TestAudit(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			e := learn.AuditEvent{TenantID: learn.PersonalTenant, Action: learn.AuditResumeRefused,
				ObjectType: "conversation", ObjectID: "c-1", IP: "192.0.2.7"}
			if err := db.RecordAudit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			if err := db.RecordAudit(t.Context(), learn.AuditEvent{Action: "x"}); learn.KindOf(err) != learn.Invalid {
				t.Errorf("an event of no tenant: %v", err)
			}
			for _, tamper := range []string{"UPDATE audit_log SET object_id = 'c-2'", "DELETE FROM audit_log"} {
				if _, err := db.Pool().ExecContext(t.Context(), tamper); err == nil || !strings.Contains(err.Error(), "append-only") {
					t.Errorf("%s: %v, want it refused", tamper, err)
				}
			}
			var action, object, ip string
			row := db.Pool().QueryRowContext(t.Context(), "SELECT action, object_id, ip FROM audit_log")
			if err := row.Scan(&action, &object, &ip); err != nil || action != string(e.Action) || object != e.ObjectID || ip != e.IP {
				t.Errorf("%q of %q from %q, %v; want %+v", action, object, ip, err, e)
			}
		})
	}
}
