-- Taking up a live conversation again, and who did so without the right. A take-over is
-- one statement, and so finds all that it returns in the conversation's own row: also the
-- number of the last message, since what a statement reads of other rows may be older
-- than the row that it waited for.

-- +goose Up
-- Two tokens are good at a time: the one that the client is known to have, and the one
-- offered after it.
ALTER TABLE conversation_sessions ADD COLUMN resume_next_hash TEXT;
ALTER TABLE conversation_sessions ADD COLUMN resume_until TIMESTAMP; -- when both end
ALTER TABLE conversation_sessions ADD COLUMN resume_version INTEGER NOT NULL DEFAULT 0; -- the user's token_version that they need
ALTER TABLE conversation_sessions ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
-- The microphone's last frame that is in a stored message.
ALTER TABLE conversation_sessions ADD COLUMN input_stream INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation_sessions ADD COLUMN input_next INTEGER NOT NULL DEFAULT 0;

UPDATE conversation_sessions SET last_seq = COALESCE((SELECT MAX(m.seq) FROM conversation_messages m
    WHERE m.tenant_id = conversation_sessions.tenant_id AND m.session_id = conversation_sessions.id), 0);

-- Those whose clients may not come back.
CREATE INDEX conversation_sessions_until ON conversation_sessions (resume_until) WHERE status = 'active';

-- Rows stay when whom they speak of is erased: they name people by ids alone.
CREATE TABLE audit_log (
    id          TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    actor_id    TEXT, -- null: somebody unknown
    actor_role  TEXT NOT NULL DEFAULT '',
    action      TEXT NOT NULL,
    object_type TEXT NOT NULL,
    object_id   TEXT NOT NULL,
    diff        TEXT,
    ip          TEXT NOT NULL DEFAULT '',
    at          TIMESTAMP NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (tenant_id, at);

-- +goose StatementBegin
CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
-- +goose StatementEnd
