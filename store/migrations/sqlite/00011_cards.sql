-- What cards are told apart, found and sorted by. Nothing has written cards before this
-- version; rows without a key are told apart by their ids alone.

-- +goose Up
ALTER TABLE user_vocabulary ADD COLUMN card_key TEXT NOT NULL DEFAULT ''; -- the folded back
ALTER TABLE user_vocabulary ADD COLUMN search_text TEXT NOT NULL DEFAULT ''; -- front and back, folded
ALTER TABLE user_vocabulary ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE user_vocabulary ADD COLUMN origin TEXT NOT NULL DEFAULT 'manual'
    CHECK (origin IN ('manual', 'import', 'correction', 'message', 'l1_word'));
ALTER TABLE user_vocabulary ADD COLUMN level TEXT; -- CEFR; null: not known

-- One live card of a kind for each word; the deleted ones may have had the same.
CREATE UNIQUE INDEX user_vocabulary_key
    ON user_vocabulary (tenant_id, user_id, learning_profile_id, kind, card_key)
    WHERE deleted_at IS NULL AND card_key <> '';

-- Lists, newest first.
CREATE INDEX user_vocabulary_list ON user_vocabulary (tenant_id, user_id, created_at, id) WHERE deleted_at IS NULL;

-- The reviews of a time, and of a day.
CREATE INDEX review_log_at ON review_log (tenant_id, user_id, reviewed_at);
CREATE INDEX review_log_day ON review_log (tenant_id, user_id, local_day);
