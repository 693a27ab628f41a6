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
