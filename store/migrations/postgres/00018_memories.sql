-- What the tutor remembers of a learner, what it makes of their level, and cards that come by
-- themselves.

-- +goose Up
-- A hash of the text. It stays when the learner deletes a memory and its text goes, so that
-- the same is not remembered again. Those of before have none.
ALTER TABLE memories ADD COLUMN fact_key TEXT NOT NULL DEFAULT '';
ALTER TABLE memories ADD COLUMN edited_at TIMESTAMPTZ; -- by the learner
CREATE UNIQUE INDEX memories_fact ON memories (tenant_id, user_id, learning_profile_id, fact_key) WHERE fact_key <> '';

-- One estimate waits for a decision; those that were decided stay.
CREATE UNIQUE INDEX level_estimates_suggested ON level_estimates (tenant_id, user_id, learning_profile_id) WHERE status = 'suggested';

-- Whether cards are made of mistakes and missing words without being asked for.
ALTER TABLE learning_profiles ADD COLUMN auto_cards BOOLEAN NOT NULL DEFAULT FALSE;
-- It came by itself. One that was never reviewed goes when what it was made of turns out wrong.
ALTER TABLE user_vocabulary ADD COLUMN auto_added BOOLEAN NOT NULL DEFAULT FALSE;
