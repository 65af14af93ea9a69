-- What is measured and remembered about a learner.

-- +goose Up
CREATE TABLE pronunciation_assessments (
    id               TEXT NOT NULL PRIMARY KEY,
    tenant_id        TEXT NOT NULL,
    user_id          TEXT NOT NULL,
    session_id       TEXT,
    message_id       TEXT,
    reference_text   TEXT NOT NULL DEFAULT '',
    mode             TEXT NOT NULL CHECK (mode IN ('scripted', 'spontaneous')),
    provider         TEXT NOT NULL,
    provider_version TEXT NOT NULL DEFAULT '',
    basis            TEXT NOT NULL CHECK (basis IN ('asr_recognition', 'acoustic_phoneme')),
    language         TEXT NOT NULL,
    overall_score    DOUBLE PRECISION, -- null unless the basis allows one
    scores           JSONB NOT NULL DEFAULT '{}',
    fluency          JSONB NOT NULL DEFAULT '{}',
    problem_areas    JSONB NOT NULL DEFAULT '[]',
    suggestions      JSONB NOT NULL DEFAULT '[]',
    raw              JSONB,
    created_at       TIMESTAMPTZ NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, session_id) REFERENCES conversation_sessions (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, message_id) REFERENCES conversation_messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX pronunciation_assessments_user ON pronunciation_assessments (tenant_id, user_id, created_at);
CREATE INDEX pronunciation_assessments_session ON pronunciation_assessments (tenant_id, session_id);
CREATE INDEX pronunciation_assessments_message ON pronunciation_assessments (tenant_id, message_id);

CREATE TABLE pronunciation_words (
    tenant_id       TEXT NOT NULL,
    assessment_id   TEXT NOT NULL,
    idx             INTEGER NOT NULL,
    ref_idx         INTEGER,
    word            TEXT NOT NULL,
    heard           TEXT,
    status          TEXT NOT NULL
        CHECK (status IN ('match', 'omission', 'insertion', 'substitution', 'mispronounced')),
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

CREATE TABLE level_estimates (
    id                  TEXT NOT NULL PRIMARY KEY,
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    learning_profile_id TEXT NOT NULL,
    method_version      INTEGER NOT NULL,
    level               TEXT NOT NULL,
    low                 TEXT NOT NULL,
    high                TEXT NOT NULL,
    evidence            JSONB NOT NULL DEFAULT '{}',
    status              TEXT NOT NULL DEFAULT 'suggested' CHECK (status IN ('suggested', 'accepted', 'rejected')),
    decided_by          TEXT,
    decided_at          TIMESTAMPTZ,
    created_at          TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (tenant_id, user_id, learning_profile_id)
        REFERENCES learning_profiles (tenant_id, user_id, id) ON DELETE CASCADE
);
CREATE INDEX level_estimates_profile ON level_estimates (tenant_id, user_id, learning_profile_id, created_at);

CREATE TABLE daily_activity (
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    learning_profile_id TEXT NOT NULL,
    local_day           TEXT NOT NULL, -- YYYY-MM-DD where the learner was
    learner_ms          BIGINT NOT NULL DEFAULT 0,
    session_ms          BIGINT NOT NULL DEFAULT 0,
    turns               INTEGER NOT NULL DEFAULT 0,
    words               INTEGER NOT NULL DEFAULT 0,
    new_words           INTEGER NOT NULL DEFAULT 0,
    reviews             INTEGER NOT NULL DEFAULT 0,
    lapses              INTEGER NOT NULL DEFAULT 0,
    corrections         INTEGER NOT NULL DEFAULT 0,
    repairs             INTEGER NOT NULL DEFAULT 0,
    goal_met            BOOLEAN NOT NULL DEFAULT FALSE,
    frozen              BOOLEAN NOT NULL DEFAULT FALSE,
    created_at          TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id, learning_profile_id, local_day),
    FOREIGN KEY (tenant_id, user_id, learning_profile_id)
        REFERENCES learning_profiles (tenant_id, user_id, id) ON DELETE CASCADE
);

CREATE TABLE memories (
    id                  TEXT NOT NULL PRIMARY KEY,
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    learning_profile_id TEXT NOT NULL,
    kind                TEXT NOT NULL,
    text                TEXT NOT NULL,
    source_message_id   TEXT,
    expires_at          TIMESTAMPTZ,
    created_at          TIMESTAMPTZ NOT NULL,
    deleted_at          TIMESTAMPTZ,
    FOREIGN KEY (tenant_id, user_id, learning_profile_id)
        REFERENCES learning_profiles (tenant_id, user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, source_message_id)
        REFERENCES conversation_messages (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX memories_profile ON memories (tenant_id, user_id, learning_profile_id, created_at);
CREATE INDEX memories_message ON memories (tenant_id, source_message_id);

CREATE TABLE provider_usage (
    id          TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    session_id  TEXT,
    provider    TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('stt', 'llm', 'tts', 'assessment')),
    units       BIGINT NOT NULL, -- milliseconds of audio, tokens, or characters, by kind
    cost_micros BIGINT NOT NULL DEFAULT 0,
    at          TIMESTAMPTZ NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, session_id)
        REFERENCES conversation_sessions (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX provider_usage_user ON provider_usage (tenant_id, user_id, at);
CREATE INDEX provider_usage_session ON provider_usage (tenant_id, session_id);
