-- The double-entry ledger. A transfer moves an amount from one account (debited) to another
-- (credited), once, for ever: nothing here is updated or deleted by anybody, and the server's role
-- has not even the right to try. Accounts carry cumulative debits and credits, kept by a trigger
-- that runs as the owner.

CREATE TABLE ledger_accounts (
  kind text NOT NULL CHECK (kind IN
    ('processor_clearing', 'held', 'merchant_payable', 'platform_fees')),
  owner_id uuid NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  debits bigint NOT NULL DEFAULT 0 CHECK (debits >= 0),
  credits bigint NOT NULL DEFAULT 0 CHECK (credits >= 0),
  PRIMARY KEY (owner_id, kind, currency),
  -- What we own is debited first, what we owe is credited first; none of these may be overdrawn.
  CHECK (CASE WHEN kind = 'processor_clearing' THEN debits >= credits ELSE credits >= debits END)
);
GRANT SELECT ON ledger_accounts TO bottega_app;

CREATE TABLE ledger_transfers (
  id uuid PRIMARY KEY,
  debit_kind text NOT NULL,
  debit_owner uuid NOT NULL,
  credit_kind text NOT NULL,
  credit_owner uuid NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  why text NOT NULL CHECK (why IN
    ('capture', 'refund', 'release', 'platform_fee', 'payout')),
  about uuid NOT NULL,
  at timestamptz NOT NULL,
  CHECK ((debit_kind, debit_owner) <> (credit_kind, credit_owner)),
  -- The same cause cannot be posted twice.
  UNIQUE (why, about)
);
CREATE INDEX ledger_transfers_debit ON ledger_transfers (debit_owner, debit_kind, currency, id);
CREATE INDEX ledger_transfers_credit ON ledger_transfers (credit_owner, credit_kind, currency, id);
GRANT SELECT, INSERT ON ledger_transfers TO bottega_app;

-- Both accounts are made to exist and locked first, in a fixed order that keeps two transfers from
-- waiting for each other.
CREATE FUNCTION ledger_post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = bottega, pg_temp AS $$
BEGIN
  INSERT INTO ledger_accounts (kind, owner_id, currency)
  SELECT kind, owner_id, NEW.currency
  FROM (VALUES (NEW.debit_kind, NEW.debit_owner), (NEW.credit_kind, NEW.credit_owner))
       AS side (kind, owner_id)
  ORDER BY owner_id, kind
  ON CONFLICT DO NOTHING;
  PERFORM 1 FROM ledger_accounts
   WHERE currency = NEW.currency
     AND (owner_id, kind) IN ((NEW.debit_owner, NEW.debit_kind),
                              (NEW.credit_owner, NEW.credit_kind))
   ORDER BY owner_id, kind FOR UPDATE;
  UPDATE ledger_accounts SET debits = debits + NEW.amount
   WHERE owner_id = NEW.debit_owner AND kind = NEW.debit_kind AND currency = NEW.currency;
  UPDATE ledger_accounts SET credits = credits + NEW.amount
   WHERE owner_id = NEW.credit_owner AND kind = NEW.credit_kind AND currency = NEW.currency;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION ledger_post FROM PUBLIC;

CREATE TRIGGER post AFTER INSERT ON ledger_transfers
  FOR EACH ROW EXECUTE FUNCTION ledger_post();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_transfers
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger_transfers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION ledger_accounts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.debits < OLD.debits OR NEW.credits < OLD.credits
     OR (NEW.kind, NEW.owner_id, NEW.currency) <> (OLD.kind, OLD.owner_id, OLD.currency) THEN
    RAISE EXCEPTION 'an account only grows' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER only_grow BEFORE UPDATE ON ledger_accounts
  FOR EACH ROW EXECUTE FUNCTION ledger_accounts_only_grow();
CREATE TRIGGER append_only BEFORE DELETE ON ledger_accounts
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger_accounts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
