-- People own accounts too (their wallets), a merchant may owe, and a transfer may first be pending:
-- it sets the money aside before a processor is called, and is posted or voided by what the
-- processor says. Nothing is ever changed: posting and voiding are rows of their own.

-- What we own, or is owed to us, is debited first; everything else is credited first.
CREATE FUNCTION ledger_is_asset(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN ('processor_clearing', 'processor_fees', 'merchant_debt');

-- What is pending has not moved, but cannot be spent: debits_pending is what may leave an account
-- that is credited first, credits_pending what may leave one that is debited first.
ALTER TABLE ledger_accounts
  ADD COLUMN debits_pending bigint NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
  ADD COLUMN credits_pending bigint NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
  DROP CONSTRAINT ledger_accounts_kind_check,
  ADD CONSTRAINT ledger_accounts_kind_check CHECK (kind IN
    ('processor_clearing', 'processor_fees', 'held', 'merchant_payable', 'merchant_debt',
     'platform_fees', 'dispute_reserve', 'wallet')),
  DROP CONSTRAINT ledger_accounts_check,
  ADD CONSTRAINT ledger_accounts_not_overdrawn CHECK (
    CASE WHEN ledger_is_asset(kind) THEN debits - credits >= credits_pending
         ELSE credits - debits >= debits_pending END);

ALTER TABLE ledger_transfers
  ADD COLUMN phase text NOT NULL DEFAULT 'posted' CHECK (phase IN ('posted', 'pending', 'voided')),
  ADD COLUMN pending_id uuid REFERENCES ledger_transfers,
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'refund', 'release', 'platform_fee', 'payout')),
  DROP CONSTRAINT ledger_transfers_why_about_key,
  -- The same cause cannot be posted, be pending or be voided twice, ...
  ADD CONSTRAINT ledger_transfers_once UNIQUE (why, about, phase),
  -- ... and what was pending ends once.
  ADD CONSTRAINT ledger_transfers_one_end UNIQUE (pending_id),
  ADD CONSTRAINT ledger_transfers_pending CHECK (
    CASE phase WHEN 'pending' THEN pending_id IS NULL WHEN 'voided' THEN pending_id IS NOT NULL
               ELSE true END);
CREATE INDEX ledger_transfers_at ON ledger_transfers USING brin (at) WITH (autosummarize = on);

-- Accounts are made to exist and locked first, in one order, so that transfers do not wait for each
-- other in a circle; one statement may write many transfers.
CREATE OR REPLACE FUNCTION ledger_post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = bottega, pg_temp AS $$
DECLARE
  missing boolean;
BEGIN
  IF NOT EXISTS (SELECT FROM fresh) THEN RETURN NULL; END IF;
  IF EXISTS (
    SELECT FROM fresh f LEFT JOIN ledger_transfers p ON p.id = f.pending_id
    WHERE CASE WHEN f.pending_id IS NULL
                 THEN f.phase = 'posted'
                      AND EXISTS (SELECT FROM ledger_transfers o
                                  WHERE o.why = f.why AND o.about = f.about AND o.phase = 'pending')
               ELSE (p.phase, p.debit_kind, p.debit_owner, p.credit_kind, p.credit_owner, p.amount,
                     p.currency, p.why, p.about)
                    IS DISTINCT FROM
                    ('pending', f.debit_kind, f.debit_owner, f.credit_kind, f.credit_owner,
                     f.amount, f.currency, f.why, f.about) END) THEN
    RAISE EXCEPTION 'a transfer does not end what is pending' USING ERRCODE = 'check_violation';
  END IF;
  SELECT count(a.owner_id) < count(*) INTO missing
  FROM (SELECT debit_owner AS owner_id, debit_kind AS kind, currency FROM fresh
        UNION SELECT credit_owner, credit_kind, currency FROM fresh) s
       LEFT JOIN ledger_accounts a USING (owner_id, kind, currency);
  IF missing THEN
    INSERT INTO ledger_accounts (kind, owner_id, currency)
    SELECT kind, owner_id, currency
    FROM (SELECT debit_owner AS owner_id, debit_kind AS kind, currency FROM fresh
          UNION SELECT credit_owner, credit_kind, currency FROM fresh) s
    ORDER BY owner_id, kind, currency
    ON CONFLICT DO NOTHING;
  END IF;
  PERFORM FROM ledger_accounts
  WHERE (owner_id, kind, currency) IN (SELECT debit_owner, debit_kind, currency FROM fresh
                                       UNION SELECT credit_owner, credit_kind, currency FROM fresh)
  ORDER BY owner_id, kind, currency FOR UPDATE;
  UPDATE ledger_accounts a
  SET debits = a.debits + s.debits, credits = a.credits + s.credits,
      debits_pending = a.debits_pending + s.debits_pending,
      credits_pending = a.credits_pending + s.credits_pending
  FROM (
    SELECT owner_id, kind, currency,
           coalesce(sum(debit) FILTER (WHERE phase = 'posted'), 0) AS debits,
           coalesce(sum(credit) FILTER (WHERE phase = 'posted'), 0) AS credits,
           sum(sign * debit) AS debits_pending, sum(sign * credit) AS credits_pending
    FROM fresh f
         CROSS JOIN LATERAL (VALUES (f.debit_owner, f.debit_kind, f.amount, 0),
                                    (f.credit_owner, f.credit_kind, 0, f.amount))
           AS side (owner_id, kind, debit, credit)
         CROSS JOIN LATERAL (VALUES (CASE WHEN f.phase = 'pending' THEN 1
                                          WHEN f.pending_id IS NULL THEN 0 ELSE -1 END))
           AS pending (sign)
    GROUP BY owner_id, kind, currency) s
  WHERE a.owner_id = s.owner_id AND a.kind = s.kind AND a.currency = s.currency;
  RETURN NULL;
END $$;

DROP TRIGGER post ON ledger_transfers;
CREATE TRIGGER post AFTER INSERT ON ledger_transfers REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_post();

-- Both sides of every transfer, for whoever adds them up.
CREATE VIEW ledger_sides AS
SELECT debit_owner AS owner_id, debit_kind AS kind, currency, at,
       CASE WHEN phase = 'posted' THEN amount ELSE 0 END AS debits, 0::bigint AS credits,
       CASE WHEN phase = 'pending' THEN amount WHEN pending_id IS NOT NULL THEN -amount
            ELSE 0 END AS debits_pending,
       0::bigint AS credits_pending
FROM ledger_transfers
UNION ALL
SELECT credit_owner, credit_kind, currency, at, 0,
       CASE WHEN phase = 'posted' THEN amount ELSE 0 END, 0,
       CASE WHEN phase = 'pending' THEN amount WHEN pending_id IS NOT NULL THEN -amount
            ELSE 0 END
FROM ledger_transfers;
GRANT SELECT ON ledger_sides TO bottega_app;
