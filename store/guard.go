package store

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// errNoTenant is why the guard refuses a statement.
var errNoTenant = errors.New("store: statement on a tenant's table without a tenant")

// acrossTenants lets a statement on a tenant's table run that names no tenant. There are
// few: they find a conversation by a secret that names it, or look after all conversations
// of a node, and return nothing of them to anybody but their owners.
func acrossTenants(tx *gorm.DB) *gorm.DB { return tx.Set(tenantsExempt, true) }

// tenantsExempt is the setting by which the guard knows them.
const tenantsExempt = "kalami:across_tenants"

// tenantColumn is what every row of a tenant carries.
const tenantColumn = "tenant_id"

// isTenantTable says whether the rows of a table belong to tenants. The shared
// catalogues, scenarios and vocabulary_items, also hold rows of nobody and are
// not among them.
func isTenantTable(name string) bool {
	switch name {
	case "memberships", "devices", "refresh_families", "refresh_tokens", "learning_profiles",
		"conversation_sessions", "conversation_messages", "conversation_goals", "corrections", "turn_analyses",
		"user_vocabulary", "review_log", "scheduler_params",
		"pronunciation_assessments", "pronunciation_words", "consents", "level_estimates",
		"daily_activity", "memories", "provider_usage",
		"user_sync", "change_feed", "sync_mutations", "audit_log":
		return true
	}
	return false
}

// guard makes gorm refuse, before it runs them, statements on a tenant's table
// that do not name a tenant. It is the wall behind the repositories, for the
// query that somebody will forget. A statement that gorm builds is judged by its
// clauses; SQL that was written by hand, by its text, which must compare
// tenant_id once for each mention of a tenant's table.
type guard struct {
	word       *regexp.Regexp // an identifier or keyword
	comparison *regexp.Regexp // tenant_id = …
	or         *regexp.Regexp // the keyword, whatever space is around it
}

func registerGuard(db *gorm.DB) error {
	g := guard{
		word:       regexp.MustCompile(`[a-z_]+`),
		comparison: regexp.MustCompile("\\btenant_id[\"`]?\\s*="),
		or:         regexp.MustCompile(`\bor\b`),
	}
	c := db.Callback()
	return errors.Join(
		c.Create().Before("gorm:create").Register("kalami:tenant", guardCreate),
		c.Query().Before("gorm:query").Register("kalami:tenant", g.where),
		c.Update().Before("gorm:update").Register("kalami:tenant", g.where),
		c.Delete().Before("gorm:delete").Register("kalami:tenant", g.where),
		c.Row().Before("gorm:row").Register("kalami:tenant", g.where),
		c.Raw().Before("gorm:raw").Register("kalami:tenant", g.where),
	)
}

func refuse(tx *gorm.DB, table string) {
	_ = tx.AddError(fmt.Errorf("%w: %s", errNoTenant, table))
}

// guardCreate wants a tenant in each row.
func guardCreate(tx *gorm.DB) {
	st := tx.Statement
	if tx.Error != nil || !isTenantTable(st.Table) {
		return
	}
	if st.Schema == nil {
		refuse(tx, st.Table)
		return
	}
	field := st.Schema.LookUpField(tenantColumn)
	if field == nil {
		refuse(tx, st.Table)
		return
	}
	rows := []reflect.Value{st.ReflectValue}
	if k := st.ReflectValue.Kind(); k == reflect.Slice || k == reflect.Array {
		rows = rows[:0]
		for i := range st.ReflectValue.Len() {
			rows = append(rows, reflect.Indirect(st.ReflectValue.Index(i)))
		}
	}
	for _, row := range rows {
		if row.Kind() != reflect.Struct {
			refuse(tx, st.Table)
			return
		}
		if _, zero := field.ValueOf(st.Context, row); zero {
			refuse(tx, st.Table)
			return
		}
	}
}

// where wants a tenant in the predicate.
func (g guard) where(tx *gorm.DB) {
	st := tx.Statement
	if tx.Error != nil {
		return
	}
	if _, exempt := tx.Get(tenantsExempt); exempt {
		return
	}
	if text := st.SQL.String(); text != "" {
		if table, ok := g.textNamesTenant(text); !ok {
			refuse(tx, table)
		}
		return
	}
	where, _ := st.Clauses["WHERE"].Expression.(clause.Where)
	named := g.namesTenant(where.Exprs)
	if isTenantTable(st.Table) && !named {
		refuse(tx, st.Table)
		return
	}
	// Fragments that were written by hand within a statement that gorm builds.
	fragments := append(slices.Clone(st.Selects), written(where.Exprs)...)
	if st.TableExpr != nil && !named {
		fragments = append(fragments, st.TableExpr.SQL)
	}
	for _, j := range st.Joins {
		fragments = append(fragments, j.Name)
	}
	for _, f := range fragments {
		if table, ok := g.textNamesTenant(f); !ok {
			refuse(tx, table)
			return
		}
	}
}

// written returns what was written by hand within a predicate.
func written(exprs []clause.Expression) (fragments []string) {
	for _, e := range exprs {
		switch e := e.(type) {
		case clause.AndConditions:
			fragments = append(fragments, written(e.Exprs)...)
		case clause.OrConditions:
			fragments = append(fragments, written(e.Exprs)...)
		case clause.NotConditions:
			fragments = append(fragments, written(e.Exprs)...)
		case clause.Expr:
			fragments = append(fragments, e.SQL)
		case clause.NamedExpr:
			fragments = append(fragments, e.SQL)
		}
	}
	return fragments
}

// namesTenant says whether a conjunction has a tenant in one of its members.
// With an OR beside it, the tenant would bind only one of the alternatives.
func (g guard) namesTenant(exprs []clause.Expression) bool {
	named := false
	for _, e := range exprs {
		switch e := e.(type) {
		case clause.OrConditions:
			return false
		case clause.AndConditions:
			named = named || g.namesTenant(e.Exprs)
		case clause.Eq:
			named = named || eqNamesTenant(e)
		case clause.Expr:
			named = named || g.exprNamesTenant(e.SQL)
		case clause.NamedExpr:
			named = named || g.exprNamesTenant(e.SQL)
		}
	}
	return named
}

func (g guard) exprNamesTenant(sql string) bool {
	lower := strings.ToLower(sql)
	return g.comparison.MatchString(lower) && !g.or.MatchString(lower)
}

// textNamesTenant returns a tenant's table that the text names, and whether the
// text compares (or, inserting, lists) the tenant column once for each of them.
func (g guard) textNamesTenant(sql string) (table string, ok bool) {
	lower := strings.ToLower(sql)
	tables := 0
	for _, word := range g.word.FindAllString(lower, -1) {
		if isTenantTable(word) {
			table = word
			tables++
		}
	}
	if tables == 0 {
		return "", true
	}
	if strings.HasPrefix(strings.TrimSpace(lower), "insert") {
		return table, strings.Contains(lower, tenantColumn)
	}
	return table, len(g.comparison.FindAllString(lower, -1)) >= tables && !g.or.MatchString(lower)
}

func eqNamesTenant(e clause.Eq) bool {
	var name string
	switch c := e.Column.(type) {
	case string:
		name = c[strings.LastIndex(c, ".")+1:]
	case clause.Column:
		name = c.Name
	}
	s, isText := e.Value.(string)
	return name == tenantColumn && (!isText || s != "")
}
