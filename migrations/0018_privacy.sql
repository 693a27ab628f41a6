-- People may have a copy of everything that is kept of them, and may be erased. An erased account
-- stays as a row without a person: orders and the ledger name it.

ALTER TABLE accounts
  ADD COLUMN erased_at timestamptz,
  ADD CHECK (erased_at IS NULL OR state = 'suspended');

-- The copies are files in the store, for some hours.
CREATE TABLE exports (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  requested_by text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ready_at timestamptz,
  bytes bigint CHECK (bytes > 0),
  sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  CHECK ((ready_at IS NULL) = (bytes IS NULL) AND (ready_at IS NULL) = (sha256 IS NULL))
);
CREATE INDEX exports_account ON exports (account_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON exports TO bottega_app;

-- What one person wrote, where it was kept by merchant only.
CREATE INDEX notes_author ON notes (author_id, id);
CREATE INDEX reports_reporter ON reports (reported_by, id);
CREATE INDEX api_keys_maker ON api_keys (created_by, id);
