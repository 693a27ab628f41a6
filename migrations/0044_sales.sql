-- What a sale writes is found in few indexes, and asks for few rows that it has asked for already.

-- That the merchant of a request, a payment or an order is there is said by the conversation or the
-- request that it belongs to, whose key begins with the merchant; that of a payout by its order. To
-- ask once more for each row takes a lock on the merchant's own row, which all sales of a busy shop
-- would share. So it is with the buyer of a payment and of an order, who is the request's.
ALTER TABLE payment_requests DROP CONSTRAINT payment_requests_merchant_id_fkey;
ALTER TABLE payments DROP CONSTRAINT payments_merchant_id_fkey;
ALTER TABLE payments DROP CONSTRAINT payments_buyer_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_merchant_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_buyer_id_fkey;
ALTER TABLE payouts DROP CONSTRAINT payouts_merchant_id_fkey;

-- A conversation is written to many times within a second. The lists are sorted by the second, and
-- within one as they are read: so its row stays where it is in the indexes, and what it was before
-- is tidied up in its page, where there is room for it.
CREATE FUNCTION second_of(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN floor(extract(epoch FROM at - timestamptz '1970-01-01 00:00:00+00'))::bigint;
ALTER TABLE conversations
  ADD COLUMN active_second bigint NOT NULL
    GENERATED ALWAYS AS (second_of(last_entry_at)) STORED;
DROP INDEX conversations_activity, conversations_buyer, conversations_status,
           conversations_assignee;
CREATE INDEX conversations_activity ON conversations (merchant_id, active_second);
CREATE INDEX conversations_buyer ON conversations (buyer_id, active_second);
CREATE INDEX conversations_status ON conversations (merchant_id, status, active_second)
  WHERE status <> 'open';
CREATE INDEX conversations_assignee ON conversations (merchant_id, assignee_id, active_second)
  WHERE assignee_id IS NOT NULL;
ALTER TABLE conversations SET (fillfactor = 60);

-- A request is changed twice while it is paid, in no column that is in an index.
ALTER TABLE payment_requests SET (fillfactor = 60);

-- Most transfers end nothing that was pending.
ALTER TABLE ledger_transfers DROP CONSTRAINT ledger_transfers_one_end;
CREATE UNIQUE INDEX ledger_transfers_one_end ON ledger_transfers (pending_id)
  WHERE pending_id IS NOT NULL;

-- A payout waits three days before it is of a batch.
DROP INDEX payouts_batch;
CREATE INDEX payouts_batch ON payouts (merchant_id, batch_id, id) WHERE batch_id IS NOT NULL;

-- What an account may not become is looked at where it is written, without a call for each row.
DROP TRIGGER only_grow ON ledger_accounts;
CREATE OR REPLACE FUNCTION ledger_accounts_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an account only grows' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER only_grow BEFORE UPDATE ON ledger_accounts
  FOR EACH ROW
  WHEN (NEW.debits < OLD.debits OR NEW.credits < OLD.credits
        OR (NEW.kind, NEW.owner_id, NEW.currency) <> (OLD.kind, OLD.owner_id, OLD.currency))
  EXECUTE FUNCTION ledger_accounts_only_grow();
