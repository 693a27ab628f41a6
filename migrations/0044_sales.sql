-- That the merchant of a request, a payment or an order is there is said by the conversation or the
-- request that it belongs to, whose key begins with the merchant. To ask once more for each row
-- takes a lock on the merchant's own row, which all sales of a busy shop would share.

ALTER TABLE payment_requests DROP CONSTRAINT payment_requests_merchant_id_fkey;
ALTER TABLE payments DROP CONSTRAINT payments_merchant_id_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_merchant_id_fkey;
