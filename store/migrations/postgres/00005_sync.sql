-- Synchronisation of devices. A user's change numbers are taken while the user's
-- row in user_sync is locked, so that numbers become visible in order: a plain
-- sequence could commit a lower number after a higher one had been read.

-- +goose Up
CREATE TABLE user_sync (
    tenant_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    last_seq   BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);

CREATE TABLE change_feed (
    tenant_id  TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    entity     TEXT NOT NULL,
    entity_id  TEXT NOT NULL,
    op         TEXT NOT NULL CHECK (op IN ('put', 'delete')),
    device_id  TEXT,
    at         TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id, seq),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);

CREATE TABLE sync_mutations (
    tenant_id   TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    mutation_id TEXT NOT NULL,
    device_id   TEXT NOT NULL,
    result      JSONB NOT NULL,
    applied_at  TIMESTAMPTZ NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, user_id, mutation_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);
