-- The cart of a conversation: what its buyer has put together there, with what one of each cost
-- when it was put in. An empty one keeps its row until it is dropped, so that no version comes
-- twice.
CREATE TABLE carts (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  -- {"variant_id", "quantity", "amount", "currency"}
  lines jsonb NOT NULL CHECK (jsonb_array_length(lines) <= 100),
  version bigint NOT NULL CHECK (version > 0),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
-- Those that nobody uses any more.
CREATE INDEX carts_updated ON carts (updated_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON carts TO bottega_app;
