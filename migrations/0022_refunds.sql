-- Refunds of any part, before and after the money was released: what is under way is set aside in
-- the payment and in the ledger, an order's payout waits for it, and what was paid out already is
-- advanced by the platform and recovered from the merchant's later payouts.

ALTER TABLE payments
  ADD COLUMN refunding bigint NOT NULL DEFAULT 0 CHECK (refunding >= 0),
  ADD CONSTRAINT payments_refunds_within CHECK (refunded + refunding <= amount);

-- Where a refund's money comes from: the fee that goes back, the merchant's balance, and what the
-- platform advances; the rest is still held.
ALTER TABLE refunds
  ADD COLUMN funded_by text NOT NULL DEFAULT 'merchant' CHECK (funded_by IN ('merchant',
    'platform')),
  ADD COLUMN source text NOT NULL DEFAULT 'held' CHECK (source IN ('held', 'released',
    'platform')),
  ADD COLUMN fee_returned bigint NOT NULL DEFAULT 0 CHECK (fee_returned >= 0),
  ADD COLUMN from_balance bigint NOT NULL DEFAULT 0 CHECK (from_balance >= 0),
  ADD COLUMN advanced bigint NOT NULL DEFAULT 0 CHECK (advanced >= 0),
  ADD COLUMN failure text,
  ADD COLUMN created_by text NOT NULL DEFAULT 'system',
  ADD CONSTRAINT refunds_add_up CHECK (
    CASE source WHEN 'released' THEN fee_returned + from_balance + advanced = amount
                ELSE from_balance = 0 AND advanced = 0 AND fee_returned <= amount END);

-- What the merchant has given back of an order so far, and what of its fee went back with that.
ALTER TABLE orders
  ADD COLUMN refunded bigint NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
  ADD COLUMN fee_returned bigint NOT NULL DEFAULT 0 CHECK (fee_returned BETWEEN 0 AND fee);

-- Everything that keeps an order's money from being paid out, with its reason; also before the
-- order was sent.
CREATE TABLE payout_holds (
  merchant_id uuid NOT NULL REFERENCES merchants,
  order_id uuid NOT NULL,
  cause text NOT NULL CHECK (cause IN ('ops', 'refund', 'dispute', 'risk')),
  about uuid NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  lifted_at timestamptz,
  PRIMARY KEY (merchant_id, order_id, cause, about),
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders
);
GRANT SELECT, INSERT, UPDATE ON payout_holds TO bottega_app;

ALTER TABLE payouts
  ADD COLUMN recovered bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT payouts_amount_check,
  ADD CONSTRAINT payouts_amount_check CHECK (amount >= 0),
  ADD CONSTRAINT payouts_recovered_check CHECK (recovered BETWEEN 0 AND amount);

INSERT INTO payout_holds (merchant_id, order_id, cause, about, reason, created_at)
SELECT merchant_id, order_id, 'ops', id, reason, created_at FROM payouts WHERE state = 'held';

-- An advance to a merchant's buyers is the platform's own money at the processor, so that what is
-- there for one merchant may be less than nothing.
ALTER TABLE ledger_accounts
  DROP CONSTRAINT ledger_accounts_kind_check,
  ADD CONSTRAINT ledger_accounts_kind_check CHECK (kind IN
    ('processor_clearing', 'processor_fees', 'held', 'merchant_payable', 'merchant_debt',
     'platform_fees', 'dispute_reserve', 'wallet', 'goodwill')),
  DROP CONSTRAINT ledger_accounts_not_overdrawn,
  ADD CONSTRAINT ledger_accounts_not_overdrawn CHECK (
    CASE WHEN kind = 'processor_clearing' THEN true
         WHEN kind IN ('processor_fees', 'merchant_debt', 'goodwill')
           THEN debits - credits >= credits_pending
         ELSE credits - debits >= debits_pending END);
DROP FUNCTION ledger_is_asset;

ALTER TABLE ledger_transfers
  DROP CONSTRAINT ledger_transfers_why_check,
  ADD CONSTRAINT ledger_transfers_why_check CHECK (why IN
    ('capture', 'refund', 'refund_fee', 'refund_balance', 'refund_advance', 'goodwill',
     'goodwill_return', 'release', 'platform_fee', 'payout', 'recovery'));

-- What is under way already: refunds were asked for without setting anything aside.
UPDATE payments p SET refunding = r.amount
FROM (SELECT merchant_id, payment_id, sum(amount) AS amount FROM refunds
      WHERE state IN ('pending', 'unknown') GROUP BY merchant_id, payment_id) r
WHERE p.merchant_id = r.merchant_id AND p.id = r.payment_id;
UPDATE orders o SET refunded = r.amount
FROM (SELECT merchant_id, order_id, sum(amount) AS amount FROM refunds
      WHERE state = 'succeeded' GROUP BY merchant_id, order_id) r
WHERE o.merchant_id = r.merchant_id AND o.id = r.order_id;

-- Identifiers of version 7 (RFC 9562), as the server makes them.
CREATE FUNCTION new_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
           substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid $$;
INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, amount,
                              currency, why, about, phase, at)
SELECT new_uuid_v7(), 'held', merchant_id, 'processor_clearing', merchant_id, amount, currency,
       'refund', id, 'pending', now()
FROM refunds WHERE state IN ('pending', 'unknown');
INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, amount,
                              currency, why, about, phase, at)
SELECT new_uuid_v7(), 'merchant_payable', merchant_id, 'processor_clearing', merchant_id, amount,
       currency, 'payout', id, 'pending', now()
FROM payouts WHERE state = 'submitted';
DROP FUNCTION new_uuid_v7;
