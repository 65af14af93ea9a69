-- Secrets that may be used once: those that live state could not keep, and which of its own
-- were used.

-- +goose Up
CREATE TABLE once_secrets (
    secret_hash TEXT NOT NULL PRIMARY KEY,
    value       TEXT NOT NULL DEFAULT '',
    spent       BOOLEAN NOT NULL DEFAULT FALSE, -- it was live state's, and is used
    expires_at  TIMESTAMP NOT NULL
);
CREATE INDEX once_secrets_ends ON once_secrets (expires_at);
