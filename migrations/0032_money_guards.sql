-- What the database itself says about money, beyond the ledger.

-- A difference about a wallet is the platform's, which has no row among the merchants.
ALTER TABLE settlement_differences DROP CONSTRAINT settlement_differences_merchant_fkey;

-- The staff's lists go through the whole platform by id, or by a state that few may be in; a
-- person's export goes through what they have paid.
CREATE INDEX payments_buyer ON payments (buyer_id, id);
CREATE INDEX payments_id ON payments (id);
CREATE INDEX payments_state ON payments (state, id);
CREATE INDEX orders_id ON orders (id);
CREATE INDEX orders_state ON orders (state, id);
CREATE INDEX payment_requests_id ON payment_requests (id);
CREATE INDEX payouts_id ON payouts (id);
CREATE INDEX payouts_all_states ON payouts (state, id);

-- For one thing there is one call that may have moved money: another is begun only where the
-- processor has refused the first.
CREATE UNIQUE INDEX attempts_one_alive ON attempts (merchant_id, subject_id)
  WHERE state <> 'failed';
-- And one charge at the processor pays for one thing.
CREATE UNIQUE INDEX payments_reference ON payments (processor, reference)
  WHERE reference IS NOT NULL AND state NOT IN ('failed', 'voided');
CREATE UNIQUE INDEX top_ups_reference ON top_ups (processor, reference)
  WHERE reference IS NOT NULL AND state <> 'failed';

-- The server may say what became of money, and not how much it was, whose, or where it went.
DO $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ') AS columns
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace
      AND c.relname IN ('payments', 'attempts', 'refunds', 'payout_batches', 'withdrawals',
                        'transfers', 'top_ups')
      AND a.attname NOT IN ('merchant_id', 'id', 'payment_request_id', 'conversation_id',
                            'payment_id', 'order_id', 'subject_id', 'transfer_id',
                            'payment_method_id', 'buyer_id', 'account_id', 'sender_id',
                            'recipient_id', 'operation', 'processor', 'account', 'amount',
                            'currency', 'payouts', 'funded_by', 'created_by', 'created_at')
    GROUP BY c.relname
  LOOP
    EXECUTE format('REVOKE UPDATE ON %I FROM bottega_app', one.name);
    EXECUTE format('GRANT UPDATE (%s) ON %I TO bottega_app', one.columns, one.name);
  END LOOP;
END $$;

-- What every account that has moved held when the books were closed, so that nobody has to add up
-- all that has ever moved; under the owner of zeros what all owners held together.
CREATE TABLE ledger_closings (
  until timestamptz PRIMARY KEY
);
CREATE TABLE ledger_snapshots (
  owner_id uuid NOT NULL,
  kind text NOT NULL,
  currency text NOT NULL,
  until timestamptz NOT NULL,
  debits bigint NOT NULL,
  credits bigint NOT NULL,
  debits_pending bigint NOT NULL,
  credits_pending bigint NOT NULL,
  PRIMARY KEY (owner_id, kind, currency, until)
);
CREATE INDEX ledger_snapshots_until ON ledger_snapshots (until);
GRANT SELECT ON ledger_closings, ledger_snapshots TO bottega_app;

-- Closes the books up to the end of the next day (UTC), or earlier where more has moved than can be
-- added up at once; not before an hour has passed, so that nothing is under way with an earlier
-- time. Answers until when, or nothing where none is due.
CREATE FUNCTION ledger_close() RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER
SET search_path = bottega, pg_temp AS $$
DECLARE
  present timestamptz;
  closed timestamptz;
  begins timestamptz;
  ends timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('ledger close', 0));
  SELECT now() + offset_us * interval '1 microsecond' INTO present FROM test_clock;
  SELECT max(until) INTO closed FROM ledger_closings;
  begins := coalesce(closed, (SELECT at FROM ledger_transfers ORDER BY id LIMIT 1));
  ends := date_trunc('day', begins, 'UTC') + interval '24 hours';
  WHILE ends - begins > interval '1 minute'
        AND (SELECT count(*) FROM (SELECT FROM ledger_transfers
                                   WHERE at >= coalesce(closed, '-infinity') AND at < ends
                                   LIMIT 500001) t) > 500000 LOOP
    ends := begins + (ends - begins) / 2;
  END LOOP;
  IF begins IS NULL OR ends > present - interval '1 hour' THEN RETURN NULL; END IF;
  INSERT INTO ledger_closings (until) VALUES (ends);
  INSERT INTO ledger_snapshots (owner_id, kind, currency, until, debits, credits, debits_pending,
                                credits_pending)
  SELECT m.owner_id, m.kind, m.currency, ends, m.debits + coalesce(p.debits, 0),
         m.credits + coalesce(p.credits, 0), m.debits_pending + coalesce(p.debits_pending, 0),
         m.credits_pending + coalesce(p.credits_pending, 0)
  FROM (SELECT coalesce(owner_id, '00000000-0000-0000-0000-000000000000') AS owner_id, kind,
               currency, sum(debits) AS debits, sum(credits) AS credits,
               sum(debits_pending) AS debits_pending, sum(credits_pending) AS credits_pending
        FROM ledger_sides WHERE at >= coalesce(closed, '-infinity') AND at < ends
        GROUP BY GROUPING SETS ((owner_id, kind, currency), (kind, currency))) m
  LEFT JOIN LATERAL (
    SELECT s.debits, s.credits, s.debits_pending, s.credits_pending FROM ledger_snapshots s
    WHERE s.owner_id = m.owner_id AND s.kind = m.kind AND s.currency = m.currency
    ORDER BY s.until DESC LIMIT 1) p ON true;
  RETURN ends;
END $$;
REVOKE ALL ON FUNCTION ledger_close FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_close TO bottega_app;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_closings
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger_closings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_snapshots
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger_snapshots
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
