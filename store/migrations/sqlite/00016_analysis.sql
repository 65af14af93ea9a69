-- Work that is done after a turn or a conversation: whoever takes a piece of it has it for a
-- while, and when that is over anybody may take it again.

-- +goose Up
-- Of a queued one: until when nobody else takes it. Every message of a learner's is stored
-- together with a queued one, so that none is forgotten by a node that dies.
ALTER TABLE turn_analyses ADD COLUMN lease_until TIMESTAMP;
CREATE INDEX turn_analyses_queued ON turn_analyses (lease_until) WHERE status = 'queued';

-- The report on a conversation that has ended. Those of before have none.
ALTER TABLE conversation_sessions ADD COLUMN summary_status TEXT NOT NULL DEFAULT 'none'
    CHECK (summary_status IN ('none', 'queued', 'done', 'failed'));
ALTER TABLE conversation_sessions ADD COLUMN summary_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation_sessions ADD COLUMN summary_lease_until TIMESTAMP;
CREATE INDEX conversation_sessions_unsummed ON conversation_sessions (summary_lease_until) WHERE summary_status = 'queued';
