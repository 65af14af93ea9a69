-- Learning profiles, the talks held under them, and what was said. Optional
-- references between rows of one learner are deferred to the commit, so that
-- deleting a user may delete both ends in any order.

-- +goose Up
CREATE TABLE learning_profiles (
    id                 TEXT NOT NULL PRIMARY KEY,
    tenant_id          TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    target_language    TEXT NOT NULL,
    variant            TEXT,
    cefr_level         TEXT NOT NULL CHECK (cefr_level IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
    level_source       TEXT NOT NULL DEFAULT 'self' CHECK (level_source IN ('self', 'placement', 'teacher', 'suggestion')),
    correction_mode    TEXT CHECK (correction_mode IN ('flow', 'balanced', 'strict', 'elicit', 'silent')),
    patience_ms        INTEGER,
    speech_rate        DOUBLE PRECISION,
    l1_support         TEXT,
    voice_id           TEXT,
    daily_goal_minutes INTEGER,
    desired_retention  DOUBLE PRECISION,
    new_cards_per_day  INTEGER,
    -- Counters below are caches: they can be rebuilt from the conversations.
    total_speaking_ms  BIGINT NOT NULL DEFAULT 0,
    conversation_count INTEGER NOT NULL DEFAULT 0,
    streak_days        INTEGER NOT NULL DEFAULT 0,
    longest_streak     INTEGER NOT NULL DEFAULT 0,
    freeze_days        INTEGER NOT NULL DEFAULT 0,
    last_local_day     TEXT, -- YYYY-MM-DD where the learner was
    created_at         TIMESTAMPTZ NOT NULL,
    updated_at         TIMESTAMPTZ NOT NULL,
    deleted_at         TIMESTAMPTZ,
    UNIQUE (tenant_id, user_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX learning_profiles_language
    ON learning_profiles (tenant_id, user_id, target_language) WHERE deleted_at IS NULL;

-- A scenario without a tenant is in the shared catalogue, so references to
-- scenarios cannot be composite; whoever writes one checks that it is shared or
-- of the same tenant.
CREATE TABLE scenarios (
    id           TEXT NOT NULL PRIMARY KEY,
    tenant_id    TEXT REFERENCES tenants (id),
    slug         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    title        JSONB NOT NULL,
    cefr_min     TEXT NOT NULL,
    cefr_max     TEXT NOT NULL,
    setting      TEXT NOT NULL DEFAULT '',
    tutor_role   TEXT NOT NULL DEFAULT '',
    learner_role TEXT NOT NULL DEFAULT '',
    goals        JSONB NOT NULL DEFAULT '[]',
    target_words JSONB NOT NULL DEFAULT '[]',
    openers      JSONB NOT NULL DEFAULT '[]',
    safety_band  TEXT NOT NULL DEFAULT 'all',
    status       TEXT NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'published', 'archived')),
    author_id    TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX scenarios_version ON scenarios (COALESCE(tenant_id, ''), slug, version);

CREATE TABLE conversation_sessions (
    id                  TEXT NOT NULL PRIMARY KEY,
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    learning_profile_id TEXT NOT NULL,
    scenario_id         TEXT REFERENCES scenarios (id),
    scenario_version    INTEGER,
    assignment_id       TEXT,
    mode                TEXT NOT NULL CHECK (mode IN ('live', 'turn', 'text', 'review')),
    topic               TEXT NOT NULL DEFAULT '',
    cefr_at_start       TEXT NOT NULL CHECK (cefr_at_start IN ('A1', 'A2', 'B1', 'B2', 'C1', 'C2')),
    prompt_version      TEXT,
    status              TEXT NOT NULL CHECK (status IN ('active', 'ended', 'abandoned')),
    epoch               BIGINT NOT NULL, -- raised by each take-over; says who may write
    resume_token_hash   TEXT,
    started_at          TIMESTAMPTZ NOT NULL,
    last_activity_at    TIMESTAMPTZ NOT NULL,
    ended_at            TIMESTAMPTZ,
    end_reason          TEXT NOT NULL DEFAULT '',
    duration_ms         BIGINT NOT NULL DEFAULT 0, -- from start to end
    learner_ms          BIGINT NOT NULL DEFAULT 0, -- voiced
    tutor_ms            BIGINT NOT NULL DEFAULT 0, -- heard
    turns               INTEGER NOT NULL DEFAULT 0,
    words_spoken        INTEGER NOT NULL DEFAULT 0,
    unique_words        INTEGER NOT NULL DEFAULT 0,
    corrections_made    INTEGER NOT NULL DEFAULT 0,
    l1_words            INTEGER NOT NULL DEFAULT 0,
    barge_ins           INTEGER NOT NULL DEFAULT 0,
    client_key          TEXT, -- makes starting repeat-safe
    summary             JSONB,
    created_at          TIMESTAMPTZ NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, user_id, client_key),
    FOREIGN KEY (tenant_id, user_id, learning_profile_id)
        REFERENCES learning_profiles (tenant_id, user_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_sessions_profile
    ON conversation_sessions (tenant_id, user_id, learning_profile_id, started_at);

CREATE TABLE conversation_messages (
    id                  TEXT NOT NULL PRIMARY KEY,
    tenant_id           TEXT NOT NULL,
    session_id          TEXT NOT NULL,
    utterance_id        TEXT NOT NULL,
    epoch               BIGINT NOT NULL, -- of the writer; never falls as seq rises
    seq                 INTEGER NOT NULL CHECK (seq > 0),
    turn_no             INTEGER NOT NULL CHECK (turn_no >= 0),
    role                TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content             TEXT NOT NULL,
    heard_text          TEXT, -- null: all of content
    interrupted         BOOLEAN NOT NULL DEFAULT FALSE,
    display             JSONB,
    speech_text         TEXT,
    source              TEXT NOT NULL CHECK (source IN ('voice', 'text')),
    language            TEXT NOT NULL DEFAULT '',
    language_spans      JSONB,
    words               JSONB,
    audio_id            TEXT,
    audio_ms            BIGINT NOT NULL DEFAULT 0,
    timings             JSONB,
    provider            TEXT NOT NULL DEFAULT '',
    tokens              INTEGER NOT NULL DEFAULT 0,
    pronunciation_score DOUBLE PRECISION,
    created_at          TIMESTAMPTZ NOT NULL,
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, session_id, seq),
    UNIQUE (tenant_id, session_id, utterance_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES conversation_sessions (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE corrections (
    id                 TEXT NOT NULL PRIMARY KEY,
    tenant_id          TEXT NOT NULL,
    user_id            TEXT NOT NULL,
    session_id         TEXT NOT NULL,
    message_id         TEXT NOT NULL,
    original           TEXT NOT NULL,
    corrected          TEXT NOT NULL,
    start_pos          INTEGER NOT NULL, -- Unicode code points of the message
    end_pos            INTEGER NOT NULL,
    category           TEXT NOT NULL,
    severity           TEXT NOT NULL,
    explanation        TEXT NOT NULL DEFAULT '',
    explanation_lang   TEXT NOT NULL DEFAULT '',
    confidence         DOUBLE PRECISION,
    asr_confidence_min DOUBLE PRECISION,
    source             TEXT NOT NULL CHECK (source IN ('llm', 'languagetool', 'teacher')),
    status             TEXT NOT NULL CHECK (status IN ('shown', 'withheld', 'disputed', 'confirmed')),
    repair             TEXT NOT NULL DEFAULT 'none' CHECK (repair IN ('none', 'prompted', 'repaired')),
    analysis_version   INTEGER NOT NULL DEFAULT 1,
    created_at         TIMESTAMPTZ NOT NULL,
    UNIQUE (tenant_id, id),
    CHECK (start_pos >= 0 AND end_pos >= start_pos),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, session_id) REFERENCES conversation_sessions (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, message_id) REFERENCES conversation_messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX corrections_profile ON corrections (tenant_id, user_id, category, created_at);
CREATE INDEX corrections_session ON corrections (tenant_id, session_id);
CREATE INDEX corrections_message ON corrections (tenant_id, message_id);

CREATE TABLE turn_analyses (
    id             TEXT NOT NULL PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    message_id     TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('queued', 'done', 'failed', 'skipped')),
    model          TEXT NOT NULL DEFAULT '',
    raw            JSONB,
    latency_ms     BIGINT NOT NULL DEFAULT 0,
    attempts       INTEGER NOT NULL DEFAULT 0,
    created_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (tenant_id, message_id, schema_version),
    FOREIGN KEY (tenant_id, message_id) REFERENCES conversation_messages (tenant_id, id) ON DELETE CASCADE
);
