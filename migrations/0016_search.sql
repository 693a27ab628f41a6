-- What people wrote, so that it can be searched. It is taken from the log some seconds after it was
-- written, by a loop that follows the log: writing a message costs nothing more. Nothing here has a
-- foreign key to conversations, for that would lock their rows, which the messages wait for.

-- The words of a message, in the language of the shop at that time, and as words of their own the
-- merchant, the buyer and the conversation: the index finds the words of one shop without walking
-- over those of others. The text itself is in the log only.
CREATE TABLE entry_texts (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0),
  id uuid NOT NULL,
  author_id uuid,
  language text NOT NULL,
  document tsvector NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id, seq)
);
CREATE INDEX entry_texts_document ON entry_texts USING gin (document)
  WITH (gin_pending_list_limit = 1024);
CREATE INDEX entry_texts_author ON entry_texts (author_id, id) WHERE author_id IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON entry_texts TO bottega_app;

-- Up to where a conversation's log has been taken in, and in which language. Numbers of one
-- conversation become visible in their order, so nothing before it can come late.
CREATE TABLE search_positions (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  language text NOT NULL,
  indexed_seq bigint NOT NULL CHECK (indexed_seq >= 0),
  PRIMARY KEY (merchant_id, conversation_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON search_positions TO bottega_app;

-- Conversations that are known to have more than was taken in.
CREATE TABLE search_due (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  since timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, conversation_id)
);
CREATE INDEX search_due_since ON search_due (since);
GRANT SELECT, INSERT, UPDATE, DELETE ON search_due TO bottega_app;

-- A shop's language. One that has set none is searched word by word.
CREATE TABLE search_settings (
  merchant_id uuid NOT NULL REFERENCES merchants,
  language text NOT NULL CHECK (language IN ('simple', 'arabic', 'armenian', 'basque', 'catalan',
    'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek', 'hindi', 'hungarian',
    'indonesian', 'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'portuguese',
    'romanian', 'russian', 'serbian', 'spanish', 'swedish', 'tamil', 'turkish', 'yiddish')),
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id)
);
GRANT SELECT, INSERT, UPDATE ON search_settings TO bottega_app;

-- Shops whose language has changed, with the last conversation that has been looked at since.
CREATE TABLE search_walks (
  merchant_id uuid NOT NULL,
  after_id uuid NOT NULL,
  PRIMARY KEY (merchant_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON search_walks TO bottega_app;

-- Up to when the log was searched for what is new (by the product's clock), and how far the walk
-- over all conversations has come, which finds what that search has missed: it goes on at walk_at
-- (by the machine's clock).
CREATE TABLE search_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  looked_until timestamptz NOT NULL,
  walk_merchant uuid NOT NULL,
  walk_conversation uuid NOT NULL,
  walk_at timestamptz NOT NULL
);
INSERT INTO search_state (looked_until, walk_merchant, walk_conversation, walk_at)
VALUES (now(), '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000',
        now());
GRANT SELECT, UPDATE ON search_state TO bottega_app;
