package store_test

import (
	"fmt"
	"reflect"
	"testing"

	"kalami/session/learn"
	"kalami/store/storetest"
)

// A conversation practises the words that are due, the longest first, and no more than six.
func TestPlan(t *testing.T) {
	for name, fresh := range backends() {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t, fresh(t))
			ana, eve := storetest.NewLearner(t, db, "ana"), storetest.NewLearner(t, db, "eve")
			c := ana.Start(t, db)
			card := func(id, kind, due, more string) {
				q := fmt.Sprintf(`INSERT INTO user_vocabulary (id, tenant_id, user_id, learning_profile_id, kind, front, back, due_at, suspended_at, deleted_at, created_at, updated_at)
					VALUES ('%s', 'personal', '%s', '%s', '%s', 'front', '%s', %s, %s, '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')`,
					id, ana.User.ID, ana.Profile.ID, kind, id, due, more)
				if _, err := db.Pool().ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			const past, future = "'2026-01-0%dT00:00:00.000000Z'", "'2099-01-01T00:00:00.000000Z'"
			for i := range 7 {
				card(fmt.Sprint("word-", i), []string{"produce", "speak"}[i%2], fmt.Sprintf(past, 9-i), "NULL, NULL")
			}
			card("later", "produce", future, "NULL, NULL")
			card("new", "produce", "NULL", "NULL, NULL")
			card("only to understand", "recognise", fmt.Sprintf(past, 1), "NULL, NULL")
			card("suspended", "produce", fmt.Sprintf(past, 1), fmt.Sprintf(past, 2)+", NULL")
			card("deleted", "produce", fmt.Sprintf(past, 1), "NULL, "+fmt.Sprintf(past, 2))

			got, err := db.Plan(t.Context(), c.TenantID, ana.User.ID, c.ID)
			var want learn.Plan
			for i := 6; i > 0; i-- {
				want.Due = append(want.Due, learn.DueWord{ID: fmt.Sprint("word-", i), Text: fmt.Sprint("word-", i)})
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("plan %+v, %v, want %+v", got, err, want)
			}
			if _, err := db.Plan(t.Context(), c.TenantID, eve.User.ID, c.ID); learn.KindOf(err) != learn.NotFound {
				t.Errorf("of somebody else's: %v", err)
			}
		})
	}
}
