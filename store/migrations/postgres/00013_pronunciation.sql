-- Assessments of how learners speak. A word may be a repetition, and in free speech it has
-- no status, since nothing says what should have been said; a message of a talk is assessed
-- once as it was said. Nothing has written these tables before this version. Consents are decisions: each
-- is a row of its own that is never changed, and goes with the learner alone.

-- +goose Up
DROP TABLE pronunciation_words;

CREATE TABLE pronunciation_words (
    tenant_id       TEXT NOT NULL,
    assessment_id   TEXT NOT NULL,
    idx             INTEGER NOT NULL,
    ref_idx         INTEGER,
    word            TEXT NOT NULL,
    heard           TEXT,
    status          TEXT
        CHECK (status IN ('match', 'omission', 'insertion', 'substitution', 'repetition', 'mispronounced')),
    recognition     DOUBLE PRECISION,
    accuracy        DOUBLE PRECISION,
    start_ms        BIGINT,
    end_ms          BIGINT,
    pause_before_ms BIGINT,
    phonemes        JSONB,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, assessment_id, idx),
    FOREIGN KEY (tenant_id, assessment_id) REFERENCES pronunciation_assessments (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE pronunciation_assessments ADD COLUMN capabilities JSONB NOT NULL DEFAULT '[]';

DROP INDEX pronunciation_assessments_message;
CREATE UNIQUE INDEX pronunciation_assessments_message
    ON pronunciation_assessments (tenant_id, message_id) WHERE message_id IS NOT NULL AND mode = 'spontaneous';
-- Lists and series of one language.
CREATE INDEX pronunciation_assessments_language
    ON pronunciation_assessments (tenant_id, user_id, language, created_at);

CREATE TABLE consents (
    id           TEXT NOT NULL PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    purpose      TEXT NOT NULL
        CHECK (purpose IN ('audio_storage', 'pronunciation_provider', 'model_improvement', 'guardian_core')),
    granted_by   TEXT NOT NULL,
    method       TEXT NOT NULL,
    text_version TEXT NOT NULL,
    granted_at   TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL,
    CHECK ((granted_at IS NULL) <> (revoked_at IS NULL)), -- a decision is one or the other
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX consents_purpose ON consents (tenant_id, user_id, purpose, created_at);

-- +goose StatementBegin
CREATE FUNCTION consents_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'consents is append-only'; END $$;
-- +goose StatementEnd
CREATE TRIGGER consents_unchanged BEFORE UPDATE ON consents
    FOR EACH ROW EXECUTE FUNCTION consents_append_only();
