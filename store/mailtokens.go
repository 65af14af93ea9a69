package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// mailTokenRow is a row of the table mail_tokens.
type mailTokenRow struct {
	TokenHash string
	UserID    string
	Purpose   string
	Email     string // folded
	ExpiresAt time.Time
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (mailTokenRow) TableName() string { return "mail_tokens" }

// errMailToken is what every mailed token that is not good is answered with.
func errMailToken() error { return notFound("This link is not valid any more") }

// PutMailToken stores a token that is about to be mailed, and forgets those that have
// ended. Others of the same user stay good. NotFound for an unknown user.
func (db *DB) PutMailToken(ctx context.Context, t learn.MailToken) error {
	now := db.clock()
	row := mailTokenRow{TokenHash: clean(t.Hash), UserID: clean(t.UserID), Purpose: string(t.Purpose),
		Email: foldEmail(t.Email), ExpiresAt: stamp(t.ExpiresAt), CreatedAt: now}
	err := db.transact(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("user_id = ? AND expires_at <= ?", row.UserID, now).Delete(&mailTokenRow{}).Error; err != nil {
			return err
		}
		return tx.Create(&row).Error
	})
	if isDangling(err) {
		err = notFound("User not found")
	}
	return fail("store.PutMailToken", err)
}

// MailTokenUser says whose a mailed token is, without using it. NotFound when it is
// unknown, used or ended, or the user's address has changed.
func (db *DB) MailTokenUser(ctx context.Context, purpose learn.MailPurpose, hash string) (learn.User, error) {
	var u userRow
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		u, err = db.mailTokenUser(tx, purpose, hash)
		return err
	})
	if err != nil {
		return learn.User{}, fail("store.MailTokenUser", err)
	}
	return u.user(), nil
}

func (db *DB) mailTokenUser(tx *gorm.DB, purpose learn.MailPurpose, hash string) (userRow, error) {
	var row mailTokenRow
	err := tx.Where("token_hash = ? AND purpose = ? AND expires_at > ?", clean(hash), string(purpose), db.clock()).Take(&row).Error
	if isAbsent(err) {
		err = errMailToken()
	}
	if err != nil {
		return userRow{}, err
	}
	var u userRow
	err = tx.Where("id = ? AND email_folded = ?", row.UserID, row.Email).Take(&u).Error
	if isAbsent(err) {
		err = errMailToken()
	}
	return u, err
}

// VerifyEmail uses a mailed token up and notes that its user can read the mailbox. It
// returns the user as it is then. Errors are those of MailTokenUser.
func (db *DB) VerifyEmail(ctx context.Context, hash string) (learn.User, error) {
	return db.useMailToken(ctx, "store.VerifyEmail", learn.MailVerify, hash, nil)
}

// ResetPassword uses a mailed token up for a new password, whose hash it stores. It
// ends all of the user's sessions and forgets the other reset tokens. Errors are those
// of MailTokenUser, and then nothing has changed.
func (db *DB) ResetPassword(ctx context.Context, hash, passwordHash string) (learn.User, error) {
	return db.useMailToken(ctx, "store.ResetPassword", learn.MailReset, hash,
		map[string]any{"hashed_password": passwordHash, "token_version": gorm.Expr("token_version + 1")})
}

// useMailToken forgets all of the user's tokens of this purpose and changes the user.
// Whoever got the mail can read the mailbox, whatever it was sent for.
func (db *DB) useMailToken(ctx context.Context, op string, purpose learn.MailPurpose, hash string, set map[string]any) (learn.User, error) {
	var u userRow
	err := db.transact(ctx, func(tx *gorm.DB) (err error) {
		if u, err = db.mailTokenUser(tx, purpose, hash); err != nil {
			return err
		}
		used := tx.Where("token_hash = ?", clean(hash)).Delete(&mailTokenRow{})
		if used.Error != nil {
			return used.Error
		}
		if used.RowsAffected == 0 { // somebody else was faster
			return errMailToken()
		}
		if err := tx.Where("user_id = ? AND purpose = ?", u.ID, string(purpose)).Delete(&mailTokenRow{}).Error; err != nil {
			return err
		}
		now := db.clock()
		changes := map[string]any{"updated_at": now, "email_verified_at": gorm.Expr("COALESCE(email_verified_at, ?)", now)}
		for column, value := range set {
			changes[column] = value
		}
		if err := tx.Model(&userRow{}).Where("id = ?", u.ID).Updates(changes).Error; err != nil {
			return err
		}
		return tx.Where("id = ?", u.ID).Take(&u).Error
	})
	if err != nil {
		return learn.User{}, fail(op, err)
	}
	return u.user(), nil
}
