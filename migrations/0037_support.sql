-- Help: a buyer asks a shop, a shop asks the platform, and a buyer withdraws from a contract.

-- kind: who asks. A buyer's case is told in the conversation, where its words are messages; a
-- shop's has a thread of its own. desk: who answers. waiting_since: from when on whoever asked
-- waits for an answer, due_at: when it is due by the priority, hand_over_from: from when on a buyer
-- may hand it over to the platform. first_seq: the entry with which it began, asked_seq: the one
-- with which the buyer asked last. ops_since: when the platform took it.
CREATE TABLE support_cases (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('buyer', 'merchant')),
  opened_by uuid NOT NULL REFERENCES accounts,
  conversation_id uuid,
  order_id uuid,
  subject text NOT NULL CHECK (subject IN ('not_received', 'damaged', 'wrong_item', 'refund',
                                           'payment', 'account', 'withdrawal', 'other')),
  state text NOT NULL CHECK (state IN ('open', 'pending', 'solved', 'closed')),
  priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  desk text NOT NULL CHECK (desk IN ('merchant', 'ops')),
  assignee_id uuid REFERENCES accounts,
  waiting_since timestamptz,
  due_at timestamptz,
  hand_over_from timestamptz,
  first_seq bigint NOT NULL CHECK (first_seq >= 0),
  asked_seq bigint NOT NULL CHECK (asked_seq >= first_seq),
  first_answered_at timestamptz,
  ops_since timestamptz,
  ops_answered_at timestamptz,
  solved_at timestamptz,
  closed_at timestamptz,
  rating bigint CHECK (rating BETWEEN 1 AND 5),
  comment text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations,
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders,
  CHECK ((kind = 'buyer') = (conversation_id IS NOT NULL)),
  CHECK (order_id IS NULL OR kind = 'buyer'),
  CHECK ((desk = 'ops') = (ops_since IS NOT NULL)),
  CHECK ((state = 'open') = (waiting_since IS NOT NULL)),
  CHECK ((waiting_since IS NULL) = (due_at IS NULL)),
  CHECK (state <> 'solved' OR solved_at IS NOT NULL),
  CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CHECK (comment IS NULL OR rating IS NOT NULL)
);
-- One at a time of a person about an order, or about none in a conversation; that they withdraw
-- from a contract stands beside it.
CREATE UNIQUE INDEX support_cases_live
  ON support_cases (merchant_id, opened_by, (coalesce(order_id, conversation_id)))
  WHERE kind = 'buyer' AND state <> 'closed' AND subject <> 'withdrawal';
-- The queues, by when the next answer is due.
CREATE INDEX support_cases_queue
  ON support_cases (merchant_id, (coalesce(due_at, 'infinity'::timestamptz)), id)
  WHERE kind = 'buyer';
CREATE INDEX support_cases_ops_queue
  ON support_cases ((coalesce(due_at, 'infinity'::timestamptz)), id) WHERE desk = 'ops';
CREATE INDEX support_cases_of_merchant ON support_cases (merchant_id, id) WHERE kind = 'merchant';
CREATE INDEX support_cases_asker ON support_cases (opened_by, id);
CREATE INDEX support_cases_solved ON support_cases (solved_at) WHERE state = 'solved';
-- The reports.
CREATE INDEX support_cases_created ON support_cases (merchant_id, created_at);
CREATE INDEX support_cases_ops_since ON support_cases (ops_since) WHERE ops_since IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON support_cases TO bottega_app;

-- What is said about a case outside of a conversation: a shop's own case, and what only the
-- platform's staff reads (internal). voice: who said it.
CREATE TABLE case_messages (
  merchant_id uuid NOT NULL,
  case_id uuid NOT NULL,
  id uuid NOT NULL,
  author_id uuid NOT NULL REFERENCES accounts,
  voice text NOT NULL CHECK (voice IN ('asker', 'merchant', 'help')),
  internal boolean NOT NULL,
  text text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, case_id, id),
  FOREIGN KEY (merchant_id, case_id) REFERENCES support_cases
);
CREATE INDEX case_messages_author ON case_messages (author_id, id);
GRANT SELECT, INSERT, DELETE ON case_messages TO bottega_app;

-- Answers that the platform's staff keeps ready.
CREATE TABLE canned_answers (
  id uuid PRIMARY KEY,
  shortcut text NOT NULL UNIQUE,
  text text NOT NULL,
  updated_by uuid NOT NULL REFERENCES accounts,
  updated_at timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON canned_answers TO bottega_app;

-- That a buyer withdrew from a contract (EU), with the words that both sides were told: it was
-- declared once and stays so.
CREATE TABLE contract_withdrawals (
  merchant_id uuid NOT NULL,
  order_id uuid NOT NULL,
  buyer_id uuid NOT NULL REFERENCES accounts,
  case_id uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount >= 0),
  currency text NOT NULL,
  content text NOT NULL,
  declared_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, order_id),
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders,
  FOREIGN KEY (merchant_id, case_id) REFERENCES support_cases
);
CREATE INDEX contract_withdrawals_buyer ON contract_withdrawals (buyer_id, order_id);
GRANT SELECT, INSERT ON contract_withdrawals TO bottega_app;
