-- What reading back needs: the streak of a learner over all languages, which belongs to
-- the membership, and indexes for lists and sums. A membership's streak begins as that of
-- the profile that was spoken under last.

-- +goose Up
ALTER TABLE memberships ADD COLUMN streak_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN longest_streak INTEGER NOT NULL DEFAULT 0;
ALTER TABLE memberships ADD COLUMN last_local_day TEXT; -- YYYY-MM-DD where the learner was

UPDATE memberships SET
    last_local_day = (SELECT MAX(p.last_local_day) FROM learning_profiles p
                      WHERE p.tenant_id = memberships.tenant_id AND p.user_id = memberships.user_id),
    longest_streak = COALESCE((SELECT MAX(p.longest_streak) FROM learning_profiles p
                      WHERE p.tenant_id = memberships.tenant_id AND p.user_id = memberships.user_id), 0);
UPDATE memberships SET
    streak_days = COALESCE((SELECT MAX(p.streak_days) FROM learning_profiles p
                      WHERE p.tenant_id = memberships.tenant_id AND p.user_id = memberships.user_id
                        AND p.last_local_day = memberships.last_local_day), 0);

-- Lists, newest first, of a learner and of one language.
CREATE INDEX conversation_sessions_user ON conversation_sessions (tenant_id, user_id, started_at, id);
DROP INDEX conversation_sessions_profile;
CREATE INDEX conversation_sessions_profile
    ON conversation_sessions (tenant_id, user_id, learning_profile_id, started_at, id);

-- What is not yet settled, and so is added up at reading.
CREATE INDEX conversation_sessions_open
    ON conversation_sessions (tenant_id, user_id, learning_profile_id) WHERE status = 'active';

-- The two ways for a card to be mastered.
CREATE INDEX user_vocabulary_stable
    ON user_vocabulary (tenant_id, user_id, learning_profile_id, stability) WHERE state = 'review' AND deleted_at IS NULL;
CREATE INDEX review_log_used
    ON review_log (tenant_id, user_id, card_id, local_day)
    WHERE mode = 'in_conversation' AND rating >= 3 AND undone_at IS NULL;
