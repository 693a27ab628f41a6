-- Whoever is to work for a merchant is invited with a code and joins by it. The code is kept as
-- SHA-256 only. One that was withdrawn has ended without anybody who accepted it.
CREATE TABLE invitations (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('agent', 'manager', 'owner')),
  hash text NOT NULL UNIQUE,
  invited_by uuid NOT NULL REFERENCES accounts,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  accepted_by uuid REFERENCES accounts,
  PRIMARY KEY (merchant_id, id),
  CHECK (accepted_by IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX invitations_open ON invitations (merchant_id, id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON invitations TO bottega_app;
