-- Words, the learners' cards, and the reviews: the review log is the truth, the
-- cards' memory fields are derived from it.

-- +goose Up
-- An item without a tenant is shared; see scenarios for what that means for references.
CREATE TABLE vocabulary_items (
    id                  TEXT NOT NULL PRIMARY KEY,
    tenant_id           TEXT REFERENCES tenants (id),
    language            TEXT NOT NULL,
    word                TEXT NOT NULL,
    lemma               TEXT NOT NULL,
    pos                 TEXT NOT NULL DEFAULT '',
    sense               TEXT NOT NULL DEFAULT '',
    difficulty_level    TEXT,
    level_source        TEXT,
    translation         TEXT NOT NULL DEFAULT '{}',
    pronunciation_guide TEXT,
    ipa                 TEXT,
    context_examples    TEXT NOT NULL DEFAULT '[]',
    source              TEXT NOT NULL DEFAULT '',
    licence             TEXT NOT NULL DEFAULT '',
    created_at          TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX vocabulary_items_sense
    ON vocabulary_items (COALESCE(tenant_id, ''), language, lemma, pos, sense);

CREATE TABLE user_vocabulary (
    id                    TEXT NOT NULL PRIMARY KEY,
    tenant_id             TEXT NOT NULL,
    user_id               TEXT NOT NULL,
    learning_profile_id   TEXT NOT NULL,
    vocabulary_item_id    TEXT REFERENCES vocabulary_items (id),
    kind                  TEXT NOT NULL CHECK (kind IN ('recognise', 'produce', 'speak', 'fix')),
    front                 TEXT NOT NULL,
    back                  TEXT NOT NULL,
    context               TEXT NOT NULL DEFAULT '',
    source_message_id     TEXT,
    source_correction_id  TEXT,
    state                 TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'learning', 'review', 'relearning')),
    stability             REAL NOT NULL DEFAULT 0, -- days
    difficulty            REAL NOT NULL DEFAULT 0,
    due_at                TIMESTAMP,
    last_reviewed_at      TIMESTAMP,
    reps                  INTEGER NOT NULL DEFAULT 0,
    lapses                INTEGER NOT NULL DEFAULT 0,
    scheduled_days        INTEGER NOT NULL DEFAULT 0,
    leech                 BOOLEAN NOT NULL DEFAULT FALSE,
    suspended_at          TIMESTAMP,
    times_encountered     INTEGER NOT NULL DEFAULT 0,
    times_used_correctly  INTEGER NOT NULL DEFAULT 0,
    last_used_at          TIMESTAMP,
    field_versions        TEXT NOT NULL DEFAULT '{}',
    created_at            TIMESTAMP NOT NULL,
    updated_at            TIMESTAMP NOT NULL,
    deleted_at            TIMESTAMP,
    UNIQUE (tenant_id, user_id, id),
    UNIQUE (tenant_id, user_id, learning_profile_id, vocabulary_item_id, kind),
    FOREIGN KEY (tenant_id, user_id, learning_profile_id)
        REFERENCES learning_profiles (tenant_id, user_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, source_message_id)
        REFERENCES conversation_messages (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant_id, source_correction_id)
        REFERENCES corrections (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX user_vocabulary_due ON user_vocabulary (tenant_id, user_id, learning_profile_id, due_at);
CREATE INDEX user_vocabulary_message ON user_vocabulary (tenant_id, source_message_id);
CREATE INDEX user_vocabulary_correction ON user_vocabulary (tenant_id, source_correction_id);

CREATE TABLE review_log (
    tenant_id       TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    id              TEXT NOT NULL, -- made by the client, so unique for its user only
    card_id         TEXT NOT NULL,
    rating          INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 4),
    reviewed_at     TIMESTAMP NOT NULL, -- corrected and clamped
    raw_reviewed_at TIMESTAMP NOT NULL, -- as the device said
    received_at     TIMESTAMP NOT NULL,
    local_day       TEXT NOT NULL, -- YYYY-MM-DD where the learner was
    duration_ms     INTEGER NOT NULL DEFAULT 0,
    mode            TEXT NOT NULL CHECK (mode IN ('self', 'typed', 'spoken', 'in_conversation')),
    evidence        TEXT,
    device_id       TEXT,
    state_before    TEXT NOT NULL,
    elapsed_days    INTEGER NOT NULL DEFAULT 0,
    scheduled_days  INTEGER NOT NULL DEFAULT 0,
    undone_at       TIMESTAMP,
    created_at      TIMESTAMP NOT NULL,
    PRIMARY KEY (tenant_id, user_id, id),
    FOREIGN KEY (tenant_id, user_id, card_id)
        REFERENCES user_vocabulary (tenant_id, user_id, id) ON DELETE CASCADE
);
CREATE INDEX review_log_card ON review_log (tenant_id, user_id, card_id, reviewed_at, id);

CREATE TABLE scheduler_params (
    id                  TEXT NOT NULL PRIMARY KEY,
    tenant_id           TEXT NOT NULL,
    user_id             TEXT NOT NULL,
    learning_profile_id TEXT NOT NULL,
    algorithm           TEXT NOT NULL,
    weights             TEXT NOT NULL,
    desired_retention   REAL NOT NULL,
    max_interval        INTEGER NOT NULL, -- days
    fitted_at           TIMESTAMP,
    review_count        INTEGER NOT NULL DEFAULT 0,
    log_loss            REAL,
    created_at          TIMESTAMP NOT NULL,
    FOREIGN KEY (tenant_id, user_id, learning_profile_id)
        REFERENCES learning_profiles (tenant_id, user_id, id) ON DELETE CASCADE
);
CREATE INDEX scheduler_params_profile ON scheduler_params (tenant_id, user_id, learning_profile_id, created_at);
