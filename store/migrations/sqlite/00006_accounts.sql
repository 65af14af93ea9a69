-- Staying signed in, and proving that a mailbox is one's own. A family is what one
-- sign-in on one device grew into; its tokens replace one another. The family has a
-- row of its own so that there is one thing to lock and to revoke: a token that is
-- being added while its family is revoked would escape an update of the tokens.
-- Nothing has written refresh_tokens before this version.

-- +goose Up
ALTER TABLE users ADD COLUMN email_verified_at TIMESTAMP;

DROP TABLE refresh_tokens;

CREATE TABLE refresh_families (
    id            TEXT NOT NULL PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    user_id       TEXT NOT NULL,
    device_id     TEXT,             -- what the client calls its device
    token_version INTEGER NOT NULL, -- the user's at sign-in; once that has risen, the family is over
    expires_at    TIMESTAMP NOT NULL, -- its youngest token's
    revoked_at    TIMESTAMP,
    created_at    TIMESTAMP NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX refresh_families_user ON refresh_families (tenant_id, user_id);

CREATE TABLE refresh_tokens (
    id         TEXT NOT NULL PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    family_id  TEXT NOT NULL,
    parent_id  TEXT UNIQUE, -- the token that this one replaced; a token is replaced once
    token_hash TEXT NOT NULL UNIQUE,
    expires_at TIMESTAMP NOT NULL,
    used_at    TIMESTAMP,     -- when it was replaced
    created_at TIMESTAMP NOT NULL,
    FOREIGN KEY (tenant_id, family_id) REFERENCES refresh_families (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (tenant_id, family_id);

-- What was mailed to somebody and is good for a single use.
CREATE TABLE mail_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    TEXT NOT NULL CHECK (purpose IN ('reset', 'verify')),
    email      TEXT NOT NULL, -- where it went, folded: good only for as long as that is the user's
    expires_at TIMESTAMP NOT NULL,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX mail_tokens_user ON mail_tokens (user_id, purpose);
