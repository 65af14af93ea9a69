-- Which local day something was said on is decided when it is stored, where the learner
-- was then; so are the other facts of which days are made. What was said before has no day
-- yet: it gets one when the learner's days are first made anew.

-- +goose Up
ALTER TABLE conversation_messages ADD COLUMN local_day TEXT;                       -- YYYY-MM-DD where the learner was
ALTER TABLE conversation_messages ADD COLUMN word_count INTEGER NOT NULL DEFAULT 0; -- the learner's words
ALTER TABLE conversation_messages ADD COLUMN talk_ms INTEGER NOT NULL DEFAULT 0;    -- since the message before, if that was near
ALTER TABLE conversation_messages ADD COLUMN pace TEXT;                          -- of the learner's spoken words

ALTER TABLE daily_activity ADD COLUMN recalls INTEGER NOT NULL DEFAULT 0;           -- reviews of cards learned before
ALTER TABLE daily_activity ADD COLUMN spoken_words INTEGER NOT NULL DEFAULT 0;      -- of which the times are known
ALTER TABLE daily_activity ADD COLUMN speech_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_activity ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_activity ADD COLUMN pause_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE daily_activity ADD COLUMN longest_pause_ms INTEGER NOT NULL DEFAULT 0;
-- What conversations that were deleted had added: numbers alone.
ALTER TABLE daily_activity ADD COLUMN kept TEXT;

ALTER TABLE memberships ADD COLUMN freeze_days INTEGER NOT NULL DEFAULT 0;
-- By which rules the learner's days were last made anew; 0 for never.
ALTER TABLE memberships ADD COLUMN activity_version INTEGER NOT NULL DEFAULT 0;

CREATE INDEX corrections_user ON corrections (tenant_id, user_id, created_at);
