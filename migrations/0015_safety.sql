-- Who wants to hear nothing of a conversation, or not to be written to in it, and what was reported
-- to the staff.

ALTER TABLE conversations
  ADD COLUMN blocked_by_buyer boolean NOT NULL DEFAULT false,
  ADD COLUMN blocked_by_merchant boolean NOT NULL DEFAULT false;

-- No row: not muted. No time: until it is taken back.
CREATE TABLE mutes (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  account_id uuid NOT NULL REFERENCES accounts,
  until timestamptz,
  PRIMARY KEY (merchant_id, conversation_id, account_id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
GRANT SELECT, INSERT, UPDATE, DELETE ON mutes TO bottega_app;

-- With a copy of the entries as they were, for messages can be edited and deleted.
CREATE TABLE reports (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  id uuid NOT NULL,
  reported_by uuid NOT NULL REFERENCES accounts,
  side text NOT NULL CHECK (side IN ('buyer', 'merchant')),
  reason text NOT NULL CHECK (reason IN ('spam', 'fraud', 'abuse', 'illegal', 'other')),
  text text,
  entries jsonb NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
  resolution text,
  resolved_by uuid REFERENCES accounts,
  resolved_at timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations,
  CHECK ((state = 'resolved') = (resolved_at IS NOT NULL AND resolution IS NOT NULL))
);
CREATE INDEX reports_state ON reports (state, id);
GRANT SELECT, INSERT, UPDATE ON reports TO bottega_app;
