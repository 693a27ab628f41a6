-- Files that people send: the bytes are in a store, a row says what they are. The row is written
-- before the first byte and removed after the last, so that no file is without one.

CREATE TABLE attachments (
  merchant_id uuid NOT NULL,
  conversation_id uuid NOT NULL,
  id uuid NOT NULL,
  uploaded_by uuid NOT NULL REFERENCES accounts,
  state text NOT NULL CHECK (state IN ('pending', 'ready', 'attached', 'deleted')),
  kind text CHECK (kind IN ('image', 'audio', 'video', 'document')),
  media_type text,
  name text NOT NULL,
  -- While it is pending: what may still come. It counts against the quotas like the rest.
  bytes bigint NOT NULL CHECK (bytes > 0),
  sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  width integer CHECK (width > 0),
  height integer CHECK (height > 0),
  thumbnail_bytes bigint CHECK (thumbnail_bytes > 0),
  created_at timestamptz NOT NULL,
  attached_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  FOREIGN KEY (merchant_id, conversation_id) REFERENCES conversations (merchant_id, id),
  CHECK (state IN ('pending', 'deleted')
         OR (kind IS NOT NULL AND media_type IS NOT NULL AND sha256 IS NOT NULL)),
  CHECK (state <> 'attached' OR attached_at IS NOT NULL),
  CHECK ((width IS NULL) = (height IS NULL)),
  CHECK (kind IS DISTINCT FROM 'image' OR (width IS NOT NULL AND thumbnail_bytes IS NOT NULL))
);
CREATE INDEX attachments_uploader ON attachments (uploaded_by, created_at);
CREATE INDEX attachments_conversation ON attachments (merchant_id, conversation_id, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON attachments TO bottega_app;

-- What each merchant's attachments take together: summing up the merchants is quick, summing up
-- the attachments would not be.
CREATE TABLE attachment_totals (
  merchant_id uuid PRIMARY KEY REFERENCES merchants,
  bytes bigint NOT NULL CHECK (bytes >= 0)
);
GRANT SELECT ON attachment_totals TO bottega_app;

CREATE FUNCTION attachments_count() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = bottega, pg_temp AS $$
DECLARE
  merchant uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.merchant_id ELSE NEW.merchant_id END;
  more bigint := CASE WHEN TG_OP = 'DELETE' THEN 0 ELSE NEW.bytes END
               - CASE WHEN TG_OP = 'INSERT' THEN 0 ELSE OLD.bytes END;
BEGIN
  INSERT INTO attachment_totals (merchant_id, bytes) VALUES (merchant, 0) ON CONFLICT DO NOTHING;
  UPDATE attachment_totals SET bytes = bytes + more WHERE merchant_id = merchant;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION attachments_count FROM PUBLIC;

CREATE TRIGGER count AFTER INSERT OR DELETE OR UPDATE OF bytes ON attachments
  FOR EACH ROW EXECUTE FUNCTION attachments_count();

-- What download links are signed with where no setting says it: every node signs alike.
CREATE TABLE attachment_secret (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  url_secret text NOT NULL
);
GRANT SELECT, INSERT ON attachment_secret TO bottega_app;
