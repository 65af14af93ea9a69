-- What learners say of what was understood and corrected.

-- +goose Up
-- What the recogniser had understood, where the learner has said that it was something
-- else: content is then what the learner says, and words are none.
ALTER TABLE conversation_messages ADD COLUMN original_content TEXT;
ALTER TABLE conversation_messages ADD COLUMN original_words JSONB;
ALTER TABLE conversation_messages ADD COLUMN edited_at TIMESTAMPTZ;

-- One that is hidden keeps its status; disputed_at stays when a dispute is withdrawn.
ALTER TABLE corrections ADD COLUMN hidden_at TIMESTAMPTZ;
ALTER TABLE corrections ADD COLUMN disputed_at TIMESTAMPTZ;
ALTER TABLE conversation_sessions ADD COLUMN disputes INTEGER NOT NULL DEFAULT 0; -- corrections that were ever disputed
