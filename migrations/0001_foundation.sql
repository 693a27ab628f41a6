-- What every module stands on: how a lost commit is looked up, what was answered to which key,
-- which work is due, who did what, and which merchant a thing belongs to.
-- The server's role is bottega_app. It may never own anything here.

GRANT USAGE ON SCHEMA bottega TO bottega_app;
GRANT SELECT ON schema_migrations TO bottega_app;

-- One row per committed transaction: where the answer to a COMMIT is lost, the row says what became
-- of it.
CREATE TABLE commit_tokens (
  token uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX commit_tokens_at ON commit_tokens USING brin (at);
GRANT SELECT, INSERT, DELETE ON commit_tokens TO bottega_app;

-- The replies to requests that carried an Idempotency-Key. The key itself is not kept, only its
-- hash; the reply is sealed with the key, so that a reply with a secret in it is not at rest here.
CREATE TABLE idempotency_keys (
  identity text NOT NULL,
  method text NOT NULL,
  path text NOT NULL,
  key_hash text NOT NULL,
  digest text NOT NULL,
  status integer,
  reply text,
  resource text,
  locked_until timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (identity, method, path, key_hash),
  CHECK ((status IS NULL) = (reply IS NULL))
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO bottega_app;

-- Work that is due at a time. Claimed with FOR UPDATE SKIP LOCKED; locked_until is a lease by the
-- machine's time, run_at is by the product's clock.
CREATE TABLE jobs (
  id uuid PRIMARY KEY,
  kind text NOT NULL,
  about text NOT NULL,
  arguments jsonb NOT NULL,
  run_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  locked_until timestamptz,
  last_error text,
  dead_at timestamptz,
  created_at timestamptz NOT NULL
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE dead_at IS NULL;
CREATE UNIQUE INDEX jobs_once ON jobs (kind, about) WHERE dead_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO bottega_app;

-- How far the product's clock runs ahead of the machine's: moved by ops in the sandbox mode only.
CREATE TABLE test_clock (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  offset_us bigint NOT NULL CHECK (offset_us >= 0)
);
INSERT INTO test_clock (offset_us) VALUES (0);
GRANT SELECT, UPDATE ON test_clock TO bottega_app;

-- Every act of the staff and every act that ops may have to explain. Append-only.
CREATE TABLE audit_log (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  reason text,
  details jsonb NOT NULL,
  request_id text NOT NULL
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);
GRANT SELECT, INSERT ON audit_log TO bottega_app;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Which merchant a thing belongs to, for requests that name only the thing. Every other query names
-- the merchant, so that the tables can be spread by it.
CREATE TABLE directory (
  id uuid PRIMARY KEY,
  merchant_id uuid NOT NULL
);
GRANT SELECT, INSERT, DELETE ON directory TO bottega_app;
