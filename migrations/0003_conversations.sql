-- A conversation is an append-only log of entries with a sequence number that has no gaps: the
-- number is taken under the lock of the conversation's row, in the transaction that writes the
-- entry.

CREATE TABLE conversations (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,
  buyer_id uuid NOT NULL REFERENCES accounts,
  last_seq bigint NOT NULL DEFAULT 0 CHECK (last_seq >= 0),
  last_entry_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, buyer_id)
);
CREATE INDEX conversations_activity ON conversations (merchant_id, last_entry_at, id);
CREATE INDEX conversations_buyer ON conversations (buyer_id, last_entry_at, id);
GRANT SELECT, INSERT, UPDATE ON conversations TO bottega_app;

CREATE TABLE entries (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  id uuid NOT NULL,
  event text NOT NULL,
  author text NOT NULL CHECK (author IN ('buyer', 'merchant', 'system')),
  author_id uuid,
  client_id text,
  data jsonb NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id, seq),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
CREATE UNIQUE INDEX entries_client_id
  ON entries (merchant_id, conversation_id, author_id, client_id)
  WHERE client_id IS NOT NULL;
GRANT SELECT, INSERT ON entries TO bottega_app;

-- How far each member has received and read: a marker that only moves forward.
CREATE TABLE markers (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  account_id uuid NOT NULL REFERENCES accounts,
  side text NOT NULL CHECK (side IN ('buyer', 'merchant')),
  delivered_seq bigint NOT NULL,
  read_seq bigint NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id, account_id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations,
  CHECK (0 <= read_seq AND read_seq <= delivered_seq)
);
GRANT SELECT, INSERT, UPDATE ON markers TO bottega_app;
