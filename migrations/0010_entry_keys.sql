-- What makes the log quick to write. The sender's own id of a message is kept as a key of fixed
-- size (the first half of a SHA-256 of the sender and the id) and in full where it is shown. That
-- every entry belongs to a conversation is checked once per statement, not once per row.

ALTER TABLE entries ADD COLUMN client_key uuid;
UPDATE entries
SET client_key = encode(substr(sha256(convert_to(author_id::text || ' ' || client_id, 'UTF8')),
                               1, 16), 'hex')::uuid,
    data = data || jsonb_build_object('client_id', client_id)
WHERE client_id IS NOT NULL AND author_id IS NOT NULL;
ALTER TABLE entries DROP COLUMN client_id;
CREATE UNIQUE INDEX entries_client_key ON entries (merchant_id, conversation_id, client_key)
  WHERE client_key IS NOT NULL;

ALTER TABLE entries DROP CONSTRAINT entries_merchant_id_conversation_id_fkey;
CREATE FUNCTION require_conversations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM fresh f
    WHERE NOT EXISTS (SELECT FROM bottega.conversations c
                      WHERE c.merchant_id = f.merchant_id AND c.id = f.conversation_id)) THEN
    RAISE EXCEPTION 'an entry without its conversation' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER of_a_conversation AFTER INSERT ON entries
  REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION require_conversations();

CREATE FUNCTION require_no_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM bottega.entries e
             WHERE e.merchant_id = OLD.merchant_id AND e.conversation_id = OLD.id) THEN
    RAISE EXCEPTION 'the conversation still has entries' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER without_entries AFTER DELETE OR UPDATE OF merchant_id, id ON conversations
  FOR EACH ROW EXECUTE FUNCTION require_no_entries();

-- Protocols whose ids are integers look conversations up by their number.
CREATE UNIQUE INDEX conversations_number ON conversations (number);
