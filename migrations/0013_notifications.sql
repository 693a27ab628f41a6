-- Who is there, and how whoever is not there hears of what was written.

-- What a person lets others see of them, and what a push service may see of their messages.
CREATE TABLE preferences (
  account_id uuid PRIMARY KEY REFERENCES accounts,
  show_presence boolean NOT NULL,
  show_typing boolean NOT NULL,
  push_content text NOT NULL CHECK (push_content IN ('full', 'none'))
);
GRANT SELECT, INSERT, UPDATE ON preferences TO bottega_app;

-- A running server. One that gives no sign of life until `until` (by the machine's clock) counts as
-- dead, and its sockets as gone; all that was written before heard_until (by the product's clock)
-- and that it heard of has become notifications.
CREATE TABLE nodes (
  id uuid PRIMARY KEY,
  until timestamptz NOT NULL,
  heard_until timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON nodes TO bottega_app;

-- Accounts that have a live socket on a node, or had one a moment ago and may come back: then they
-- are still seen as there, but what is written is not taken for received. A row is as good as its
-- node.
CREATE TABLE presences (
  account_id uuid NOT NULL REFERENCES accounts,
  node_id uuid NOT NULL REFERENCES nodes ON DELETE CASCADE,
  is_leaving boolean NOT NULL,
  PRIMARY KEY (account_id, node_id)
);
CREATE INDEX presences_node ON presences (node_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON presences TO bottega_app;

-- When somebody who shows it was last there.
CREATE TABLE last_seen (
  account_id uuid PRIMARY KEY REFERENCES accounts,
  at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON last_seen TO bottega_app;

-- A browser that wants to be told. It is as good as the session that it came with. The address and
-- the keys are capabilities: they go to the push service and nowhere else.
CREATE TABLE push_subscriptions (
  id uuid PRIMARY KEY,
  account_id uuid NOT NULL REFERENCES accounts,
  session_id uuid NOT NULL REFERENCES sessions,
  kind text NOT NULL CHECK (kind IN ('web')),
  endpoint text NOT NULL,
  endpoint_hash text NOT NULL UNIQUE,
  origin text NOT NULL,
  p256dh text NOT NULL,
  auth text NOT NULL,
  content text NOT NULL CHECK (content IN ('full', 'none')),
  created_at timestamptz NOT NULL
);
CREATE INDEX push_subscriptions_account ON push_subscriptions (account_id, id);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session_id);
GRANT SELECT, INSERT, DELETE ON push_subscriptions TO bottega_app;

-- Up to where a member's devices have been told of a conversation.
CREATE TABLE push_positions (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  account_id uuid NOT NULL REFERENCES accounts,
  seq bigint NOT NULL CHECK (seq > 0),
  PRIMARY KEY (merchant_id, conversation_id, account_id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
GRANT SELECT, INSERT, UPDATE ON push_positions TO bottega_app;

-- What is still to be sent: one row per device and conversation, about the newest entry.
CREATE TABLE push_deliveries (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  subscription_id uuid NOT NULL REFERENCES push_subscriptions ON DELETE CASCADE,
  seq bigint NOT NULL CHECK (seq > 0),
  origin text NOT NULL,
  run_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  attempts bigint NOT NULL DEFAULT 0,
  locked_until timestamptz,
  PRIMARY KEY (merchant_id, conversation_id, subscription_id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
CREATE INDEX push_deliveries_due ON push_deliveries (run_at);
CREATE INDEX push_deliveries_subscription ON push_deliveries (subscription_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON push_deliveries TO bottega_app;
