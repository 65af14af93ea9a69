-- People are global; what they learn belongs to a tenant. A membership joins the
-- two, and every row of learning points at it with (tenant_id, user_id), so that
-- deleting a user deletes all that is theirs and nobody else's.

-- +goose Up
CREATE TABLE tenants (
    id                        TEXT NOT NULL PRIMARY KEY,
    slug                      TEXT NOT NULL UNIQUE,
    name                      TEXT NOT NULL,
    kind                      TEXT NOT NULL CHECK (kind IN ('personal', 'school', 'org')),
    region                    TEXT,
    locale                    TEXT,
    settings                  JSONB NOT NULL DEFAULT '{}',
    audio_retention_days      INTEGER NOT NULL DEFAULT 0, -- 0: audio is never stored
    transcript_retention_days INTEGER,                    -- null: until erased
    allowed_providers         JSONB NOT NULL DEFAULT '[]',
    minutes_quota             INTEGER,
    created_at                TIMESTAMPTZ NOT NULL,
    deleted_at                TIMESTAMPTZ
);

-- The tenant of everybody who came without a school.
INSERT INTO tenants (id, slug, name, kind, created_at)
VALUES ('personal', 'personal', 'Personal', 'personal', '2026-01-01T00:00:00.000000Z');

CREATE TABLE users (
    id                TEXT NOT NULL PRIMARY KEY,
    email             TEXT,        -- as the user wrote it; null for guests
    email_folded      TEXT UNIQUE, -- the same without case, which is what is unique
    username          TEXT,
    hashed_password   TEXT,
    name              TEXT NOT NULL DEFAULT '',
    native_language   TEXT NOT NULL DEFAULT 'en',
    ui_locale         TEXT,
    timezone          TEXT,        -- IANA name; null: UTC
    age_band          TEXT NOT NULL DEFAULT 'unknown' CHECK (age_band IN ('adult', 'teen', 'child', 'unknown')),
    is_guest          BOOLEAN NOT NULL DEFAULT FALSE,
    is_platform_admin BOOLEAN NOT NULL DEFAULT FALSE,
    token_version     INTEGER NOT NULL DEFAULT 0,
    status            TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL
);

CREATE TABLE memberships (
    id          TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL REFERENCES tenants (id),
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role        TEXT NOT NULL CHECK (role IN ('learner', 'teacher', 'tenant_admin', 'guardian')),
    status      TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'left')),
    external_id TEXT,
    username    TEXT,
    created_at  TIMESTAMPTZ NOT NULL,
    UNIQUE (tenant_id, user_id),
    UNIQUE (tenant_id, external_id),
    UNIQUE (tenant_id, username)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE devices (
    tenant_id     TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    id            TEXT NOT NULL, -- made by the client, so unique for its user only
    platform      TEXT NOT NULL DEFAULT '',
    app_version   TEXT NOT NULL DEFAULT '',
    clock_skew_ms BIGINT NOT NULL DEFAULT 0,
    last_cursor   BIGINT NOT NULL DEFAULT 0,
    last_seen_at  TIMESTAMPTZ,
    revoked_at    TIMESTAMPTZ,
    created_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);

CREATE TABLE refresh_tokens (
    id         TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    device_id  TEXT,
    family_id  TEXT NOT NULL, -- of one login; reuse of a used token revokes the family
    parent_id  TEXT,          -- the token that this one replaced
    token_hash TEXT NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_user ON refresh_tokens (tenant_id, user_id);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family_id);
