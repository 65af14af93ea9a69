package store_test

import (
	"testing"

	"kalami/store/storetest"
)

// A database that lacks a version lower than its latest gets it: versions are made side by
// side, and which one is there first is chance.
func TestMigrateOutOfOrder(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			for _, undo := range []string{
				"DROP TABLE conversation_goals", "ALTER TABLE scenarios DROP COLUMN topic", "ALTER TABLE scenarios DROP COLUMN twist",
				"ALTER TABLE scenarios DROP COLUMN stop_conditions", "DELETE FROM goose_db_version WHERE version_id = 14",
			} {
				if _, err := db.Pool().ExecContext(t.Context(), undo); err != nil {
					t.Fatal(err)
				}
			}
			if n, err := db.Migrate(t.Context()); err != nil || n != 1 {
				t.Fatalf("migrated %d versions, %v", n, err)
			}
			wantRows(t, db, "SELECT topic || twist FROM scenarios")
			wantRows(t, db, "SELECT quote FROM conversation_goals")
		})
	}
}
