-- Scenarios as conversations keep them: a row is made when the first conversation begins with
-- a version of one, and never changed.

-- +goose Up
ALTER TABLE scenarios ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE scenarios ADD COLUMN twist TEXT NOT NULL DEFAULT '';
ALTER TABLE scenarios ADD COLUMN stop_conditions TEXT NOT NULL DEFAULT '[]';

-- Goals that were reached, each once in a conversation, with the words of the learner's that
-- prove it.
CREATE TABLE conversation_goals (
    tenant_id  TEXT NOT NULL,
    session_id TEXT NOT NULL,
    goal_id    TEXT NOT NULL,
    message_id TEXT NOT NULL,
    quote      TEXT NOT NULL,
    met_at     TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, session_id, goal_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES conversation_sessions (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, message_id) REFERENCES conversation_messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_goals_message ON conversation_goals (tenant_id, message_id);
