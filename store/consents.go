package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// consentRow is a row of the table consents: one decision, with either of its two times.
type consentRow struct {
	ID          string
	TenantID    string
	UserID      string
	Purpose     string
	GrantedBy   string
	Method      string
	TextVersion string
	GrantedAt   *time.Time
	RevokedAt   *time.Time
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (consentRow) TableName() string { return "consents" }

func (r consentRow) consent() learn.Consent {
	return learn.Consent{
		ID: r.ID, TenantID: r.TenantID, UserID: r.UserID, Purpose: learn.ConsentPurpose(r.Purpose), Granted: r.GrantedAt != nil,
		GrantedBy: r.GrantedBy, Method: r.Method, TextVersion: r.TextVersion, At: r.CreatedAt.UTC(),
	}
}

// Decide adds a decision about a consent, filling in ID and At. What was decided before
// stays. Nobody who is marked a child can give one: Forbidden; taking one back is always
// possible. NotFound when the user is not a member of the tenant.
func (db *DB) Decide(ctx context.Context, c learn.Consent) (learn.Consent, error) {
	const op = "store.Decide"
	id, err := newID(c.ID)
	if err != nil {
		return learn.Consent{}, fail(op, err)
	}
	now := db.clock()
	row := consentRow{ID: id, TenantID: clean(c.TenantID), UserID: clean(c.UserID), Purpose: string(c.Purpose), GrantedBy: clean(c.GrantedBy),
		Method: clean(c.Method), TextVersion: clean(c.TextVersion), RevokedAt: &now, CreatedAt: now}
	if c.Granted {
		row.GrantedAt, row.RevokedAt = &now, nil
	}
	err = db.transact(ctx, func(tx *gorm.DB) error {
		if c.Granted {
			var bands []string
			if err := tx.Raw("SELECT age_band FROM users WHERE id = ?", row.UserID).Scan(&bands).Error; err != nil {
				return err
			}
			if len(bands) > 0 && learn.AgeBand(bands[0]) == learn.AgeChild {
				return &learn.Error{Kind: learn.Forbidden, Msg: "A guardian has to decide this"}
			}
		}
		return tx.Create(&row).Error
	})
	if isDangling(err) {
		err = notFound("User not found")
	}
	if err != nil {
		return learn.Consent{}, fail(op, err)
	}
	return row.consent(), nil
}

// ListConsents returns one page of a user's decisions, newest first: at most limit of them
// after the first offset. For each purpose the newest counts.
func (db *DB) ListConsents(ctx context.Context, tenantID, userID string, limit, offset int) ([]learn.Consent, error) {
	var rows []consentRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Where("tenant_id = ? AND user_id = ?", clean(tenantID), clean(userID)).
			Order("created_at DESC, id DESC").Limit(max(limit, 0)).Offset(max(offset, 0)).Find(&rows).Error
	})
	if err != nil {
		return nil, fail("store.ListConsents", err)
	}
	out := make([]learn.Consent, len(rows))
	for i, r := range rows {
		out[i] = r.consent()
	}
	return out, nil
}

// Consented says whether the user's newest decision for a purpose is a consent and they are
// not marked a child. It is false for an unknown user.
func (db *DB) Consented(ctx context.Context, tenantID, userID string, purpose learn.ConsentPurpose) (bool, error) {
	tenantID, userID = clean(tenantID), clean(userID)
	var found []struct {
		AgeBand   string
		GrantedAt *time.Time
	}
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Raw(`SELECT u.age_band, c.granted_at FROM consents c CROSS JOIN users u
			WHERE c.tenant_id = ? AND c.user_id = ? AND c.purpose = ? AND u.id = c.user_id
			ORDER BY c.created_at DESC, c.id DESC LIMIT 1`, tenantID, userID, purpose).Scan(&found).Error
	})
	if err != nil || len(found) == 0 {
		return false, fail("store.Consented", err)
	}
	return found[0].GrantedAt != nil && learn.AgeBand(found[0].AgeBand) != learn.AgeChild, nil
}
