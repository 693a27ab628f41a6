-- The ledger's trigger, with statements whose only plan is by the keys. A session keeps the plan of
-- a statement: one that was made while a table was small would read all of it in each transfer, for
-- as long as nobody analyses the table. And nothing is written into a day that is closed.
CREATE OR REPLACE FUNCTION ledger_post() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = bottega, pg_temp AS $$
DECLARE
  moved record;
BEGIN
  -- What was closed stays as it was: a server whose clock is far behind would change it for good.
  IF (SELECT min(at) FROM fresh) < (SELECT max(until) FROM ledger_closings) THEN
    RAISE EXCEPTION 'a transfer is of a day that is closed' USING ERRCODE = 'check_violation';
  END IF;
  -- OFFSET 0 keeps each of the looked-up rows in a subquery of its own.
  IF EXISTS (
    SELECT FROM fresh f
    LEFT JOIN LATERAL (
      SELECT p.phase, p.debit_kind, p.debit_owner, p.credit_kind, p.credit_owner, p.amount,
             p.currency, p.why, p.about
      FROM ledger_transfers p WHERE p.id = f.pending_id OFFSET 0) p ON true
    WHERE CASE WHEN f.pending_id IS NULL
                 THEN f.phase = 'posted'
                      AND EXISTS (SELECT FROM ledger_transfers o
                                  WHERE o.why = f.why AND o.about = f.about AND o.phase = 'pending'
                                  OFFSET 0)
               ELSE (p.phase, p.debit_kind, p.debit_owner, p.credit_kind, p.credit_owner, p.amount,
                     p.currency, p.why, p.about)
                    IS DISTINCT FROM
                    ('pending', f.debit_kind, f.debit_owner, f.credit_kind, f.credit_owner,
                     f.amount, f.currency, f.why, f.about) END) THEN
    RAISE EXCEPTION 'a transfer does not end what is pending' USING ERRCODE = 'check_violation';
  END IF;
  -- One by one in the order of their keys, so that transfers never wait for each other in a circle.
  FOR moved IN
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
    GROUP BY owner_id, kind, currency ORDER BY owner_id, kind, currency
  LOOP
    LOOP
      UPDATE ledger_accounts a
      SET debits = a.debits + moved.debits, credits = a.credits + moved.credits,
          debits_pending = a.debits_pending + moved.debits_pending,
          credits_pending = a.credits_pending + moved.credits_pending
      WHERE a.owner_id = moved.owner_id AND a.kind = moved.kind AND a.currency = moved.currency;
      EXIT WHEN FOUND;
      INSERT INTO ledger_accounts (kind, owner_id, currency)
      VALUES (moved.kind, moved.owner_id, moved.currency) ON CONFLICT DO NOTHING;
    END LOOP;
  END LOOP;
  RETURN NULL;
END $$;
