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
