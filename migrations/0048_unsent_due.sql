-- What of a payment is to go back for what was not sent, as it was said when the order was closed;
-- a return gives back what was sent, and is counted apart.
ALTER TABLE payments ADD COLUMN unsent_due bigint CHECK (unsent_due BETWEEN 0 AND amount);
GRANT UPDATE (unsent_due) ON payments TO bottega_app;
ALTER TABLE refunds ADD COLUMN for_return boolean NOT NULL DEFAULT false;
UPDATE refunds r SET for_return = true FROM returns x
WHERE x.merchant_id = r.merchant_id AND x.refund_id = r.id;

-- What is owed is the order's, and not that of one refund that has failed.
INSERT INTO payout_holds (merchant_id, order_id, cause, about, reason, created_at)
SELECT h.merchant_id, h.order_id, 'refund', h.order_id, 'what was not sent has not been refunded',
       min(h.created_at)
FROM payout_holds h JOIN refunds r ON r.merchant_id = h.merchant_id AND r.id = h.about
WHERE h.cause = 'refund' AND h.lifted_at IS NULL AND r.state = 'failed'
GROUP BY h.merchant_id, h.order_id;
UPDATE payout_holds h SET lifted_at = now() FROM refunds r
WHERE r.merchant_id = h.merchant_id AND r.id = h.about AND h.cause = 'refund'
  AND h.lifted_at IS NULL AND r.state = 'failed';
