-- Messages can be edited, deleted and reacted to: the log keeps a trace as entries of its own, the
-- entry of the message shows how it is now. The merchant's inbox: state, assignment, labels, notes,
-- canned replies, office hours, and counts of what is unread.

GRANT UPDATE (data) ON entries TO bottega_app;
CREATE TRIGGER only_messages BEFORE UPDATE ON entries
  FOR EACH ROW WHEN (OLD.event NOT IN ('message.created', 'message.edited'))
  EXECUTE FUNCTION refuse_change();

-- for_buyer and for_merchant count the entries that are news to that side, from the beginning. What
-- is unread is the count less what it was where the reader stands.
ALTER TABLE conversations
  ADD COLUMN status text NOT NULL DEFAULT 'open'
    CHECK (status IN ('open', 'pending', 'snoozed', 'closed')),
  ADD COLUMN snoozed_until timestamptz,
  ADD COLUMN assignee_id uuid REFERENCES accounts,
  ADD COLUMN for_buyer bigint NOT NULL DEFAULT 0 CHECK (for_buyer >= 0),
  ADD COLUMN for_merchant bigint NOT NULL DEFAULT 0 CHECK (for_merchant >= 0),
  ADD COLUMN away_at timestamptz,
  ADD CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL));
UPDATE conversations c
SET for_buyer = n.for_buyer, for_merchant = n.for_merchant
FROM (SELECT merchant_id, conversation_id,
             count(*) FILTER (WHERE author <> 'buyer') AS for_buyer,
             count(*) FILTER (WHERE author <> 'merchant') AS for_merchant
      FROM entries GROUP BY merchant_id, conversation_id) n
WHERE c.merchant_id = n.merchant_id AND c.id = n.conversation_id;

-- read_count is the side's count at read_seq.
ALTER TABLE markers ADD COLUMN read_count bigint NOT NULL DEFAULT 0 CHECK (read_count >= 0);
UPDATE markers m
SET read_count = (SELECT count(*) FROM entries e
                  WHERE e.merchant_id = m.merchant_id AND e.conversation_id = m.conversation_id
                    AND e.seq <= m.read_seq AND e.author <> m.side);

-- Only where they say something: an open conversation of nobody costs no more to write to.
CREATE INDEX conversations_status ON conversations (merchant_id, status, last_entry_at, id)
  WHERE status <> 'open';
CREATE INDEX conversations_assignee ON conversations (merchant_id, assignee_id, last_entry_at, id)
  WHERE assignee_id IS NOT NULL;

CREATE TABLE conversation_labels (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  label text NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id, label),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
CREATE INDEX conversation_labels_label ON conversation_labels (merchant_id, label, conversation_id);
GRANT SELECT, INSERT, DELETE ON conversation_labels TO bottega_app;

-- What members of the merchant write for each other. after_seq says where in the log it stands.
CREATE TABLE notes (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  id uuid NOT NULL,
  author_id uuid NOT NULL REFERENCES accounts,
  text text NOT NULL,
  after_seq bigint NOT NULL CHECK (after_seq >= 0),
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id, id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations
);
GRANT SELECT, INSERT, DELETE ON notes TO bottega_app;

CREATE TABLE canned_replies (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  shortcut text NOT NULL,
  text text NOT NULL,
  updated_by uuid NOT NULL REFERENCES accounts,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, shortcut)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON canned_replies TO bottega_app;

-- Office hours by the merchant's own clock; without hours the merchant is always there.
CREATE TABLE inbox_settings (
  merchant_id uuid NOT NULL REFERENCES merchants,
  time_zone text NOT NULL,
  hours jsonb NOT NULL,
  away_message text,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON inbox_settings TO bottega_app;
