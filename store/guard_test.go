package store_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/store"
	"kalami/store/storetest"
)

// TestGuard: a statement on a tenant's table runs only if it names a tenant,
// however it was written.
func TestGuard(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) { testGuard(t, storetest.Open(t, fresh(t)).Gorm()) })
	}
}

func testGuard(t *testing.T, g *gorm.DB) {
	refused, allowed := refusedStatements(t, g), allowedStatements(t, g)
	for _, what := range slices.Sorted(maps.Keys(refused)) {
		if err := refused[what](); !errors.Is(err, store.ErrNoTenant) {
			t.Errorf("%s: got %v, want it refused", what, err)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(allowed)) {
		if err := allowed[what](); err != nil {
			t.Errorf("%s: %v, want it allowed", what, err)
		}
	}
}

func refusedStatements(t *testing.T, g *gorm.DB) map[string]func() error {
	var rows []store.MessageRow
	var n int64
	messages := func() *gorm.DB { return g.WithContext(t.Context()).Model(&store.MessageRow{}) }
	return map[string]func() error{
		"all rows":           func() error { return messages().Find(&rows).Error },
		"by another column":  func() error { return messages().Where("session_id = ?", "s").Find(&rows).Error },
		"by id":              func() error { return g.Take(&store.MessageRow{ID: "m"}).Error },
		"tenant or anything": func() error { return messages().Where("tenant_id = ? OR 1 = 1", "p").Find(&rows).Error },
		"tenant or, on a line of its own": func() error {
			return messages().Where("tenant_id = ?\n\tOR\n1 = 1", "p").Find(&rows).Error
		},
		"raw, tenant or in brackets": func() error {
			return g.Raw("SELECT COUNT(*) FROM memories WHERE (tenant_id = ?)OR(1 = 1)", "p").Scan(&n).Error
		},
		"asked for within the predicate": func() error {
			return g.Table("users").Where("id IN (SELECT user_id FROM memories)").Count(&n).Error
		},
		"not asked for within the predicate": func() error {
			return g.Table("users").Not("id IN (SELECT user_id FROM memories)").Count(&n).Error
		},
		"tenant, or": func() error { return messages().Where("tenant_id = ?", "p").Or("1 = 1").Find(&rows).Error },
		"a tenant that is empty": func() error {
			return messages().Where(map[string]any{"tenant_id": ""}).Find(&rows).Error
		},
		"not a comparison":  func() error { return messages().Where("tenant_id IS NOT NULL").Find(&rows).Error },
		"another's column":  func() error { return messages().Where("my_tenant_id = ?", "p").Find(&rows).Error },
		"count":             func() error { return messages().Count(&n).Error },
		"pluck":             func() error { return messages().Pluck("content", &[]string{}).Error },
		"update":            func() error { return messages().Where("id = ?", "m").Update("content", "x").Error },
		"delete":            func() error { return g.Where("id = ?", "m").Delete(&store.MessageRow{}).Error },
		"delete by its key": func() error { return g.Delete(&store.MessageRow{ID: "m", TenantID: "p"}).Error },
		"table by name":     func() error { return g.Table("memories").Count(&n).Error },
		"table with alias":  func() error { return g.Table("memories AS m").Count(&n).Error },
		"create":            func() error { return g.Create(&store.MessageRow{ID: "m"}).Error },
		"create several": func() error {
			return g.Create([]*store.MessageRow{{ID: "m", TenantID: "p"}, {ID: "n"}}).Error
		},
		"create from a map": func() error { return g.Table("memories").Create(map[string]any{"id": "m"}).Error },
		"raw":               func() error { return g.Raw("SELECT COUNT(*) FROM conversation_messages").Scan(&n).Error },
		"raw, quoted":       func() error { return g.Raw(`SELECT COUNT(*) FROM "Conversation_Messages"`).Scan(&n).Error },
		"raw row":           func() error { return scanRow(g.Raw("SELECT COUNT(*) FROM memories"), &n) },
		"exec":              func() error { return g.Exec("DELETE FROM memories WHERE id = ?", "m").Error },
		"insert without":    func() error { return g.Exec("INSERT INTO memories (id) VALUES (?)", "m").Error },
		"one of two tables": func() error {
			return g.Raw("SELECT COUNT(*) FROM memories m, corrections c WHERE m.tenant_id = ?", "p").Scan(&n).Error
		},
		"joined": func() error {
			return g.Table("users").Joins("JOIN memories m ON m.user_id = users.id").Count(&n).Error
		},
		"selected from within": func() error {
			return g.Table("users").Select("(SELECT COUNT(*) FROM memories) AS n").Find(&[]map[string]any{}).Error
		},
	}
}

func allowedStatements(t *testing.T, g *gorm.DB) map[string]func() error {
	var rows []store.MessageRow
	var n int64
	messages := func() *gorm.DB { return g.WithContext(t.Context()).Model(&store.MessageRow{}) }
	return map[string]func() error{
		"where":         func() error { return messages().Where("tenant_id = ?", "p").Find(&rows).Error },
		"where, quoted": func() error { return messages().Where(`"tenant_id"=?`, "p").Find(&rows).Error },
		"map":           func() error { return messages().Where(map[string]any{"tenant_id": "p"}).Find(&rows).Error },
		"struct":        func() error { return messages().Where(&store.MessageRow{TenantID: "p"}).Find(&rows).Error },
		"column": func() error {
			return messages().Where(clause.Eq{Column: "conversation_messages.tenant_id", Value: "p"}).Find(&rows).Error
		},
		"grouped": func() error {
			return messages().Where(g.Where("tenant_id = ?", "p").Where("seq > 1")).Find(&rows).Error
		},
		"tenant and an or in brackets": func() error {
			return messages().Where("tenant_id = ?", "p").Where("(seq = 1 OR seq = 2)").Find(&rows).Error
		},
		"raw":        func() error { return g.Raw("SELECT COUNT(*) FROM memories WHERE tenant_id = ?", "p").Scan(&n).Error },
		"no tenants": func() error { return g.Table("users").Count(&n).Error },
		"a shared catalogue": func() error {
			return g.Table("scenarios").Where("tenant_id IS NULL").Count(&n).Error
		},
		"across tenants, on purpose": func() error {
			return store.AcrossTenants(g.WithContext(t.Context())).Raw("SELECT COUNT(*) FROM memories").Scan(&n).Error
		},
	}
}

func scanRow(tx *gorm.DB, n *int64) error {
	row := tx.Row()
	if row == nil {
		return tx.Error
	}
	return row.Scan(n)
}
