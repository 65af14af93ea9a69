-- When each setting of a profile was last written, by name, so that of the writes of several
-- devices the latest wins for each of them.

-- +goose Up
ALTER TABLE learning_profiles ADD COLUMN field_versions JSONB NOT NULL DEFAULT '{}';

-- What is over is found by its age, in all tenants.
CREATE INDEX change_feed_at ON change_feed (at);
CREATE INDEX sync_mutations_applied ON sync_mutations (applied_at);
