-- Renewal of each token of a set by itself, and a choice that a person has yet to make. Only additions.

PRAGMA user_version = 4;

-- The journal's rows of all tokens but the main one, whose row stays in refresh_journal, one for each credential.
CREATE TABLE refresh_flights (
    id BLOB NOT NULL PRIMARY KEY,
    credential_id BLOB NOT NULL REFERENCES credentials (id) ON DELETE CASCADE,
    organization_id BLOB NOT NULL,
    account_id BLOB,
    token TEXT NOT NULL CHECK (token <> 'main'),
    intent_id BLOB NOT NULL,
    owner TEXT NOT NULL,
    lease_until TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('intent', 'activated', 'settled')),
    sealed_table TEXT,
    sealed_row BLOB,
    previous TEXT,
    sent_fp BLOB,
    first_sent_at TEXT,
    sends INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    gone_at TEXT,
    witnessed INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (credential_id, token)
) STRICT;

-- What a person may choose among, while an exchange waits for that. What the exchange brought lies sealed where the verifier lay.
ALTER TABLE connect_sessions ADD COLUMN choice TEXT;
