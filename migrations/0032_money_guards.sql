-- What the database itself says about money, beyond the ledger.

-- A difference about a wallet is the platform's, which has no row among the merchants.
ALTER TABLE settlement_differences DROP CONSTRAINT settlement_differences_merchant_fkey;
