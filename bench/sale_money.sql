-- The second part of sale_orders.sql: what was asked for, paid, sent and paid out.
INSERT INTO payment_requests (merchant_id, id, conversation_id, buyer_id, title, description, lines,
                              total, currency, shipping_address, state, expires_at, created_by,
                              created_at, updated_at)
SELECT merchant_id, request_id, conversation_id, buyer_id, line ->> 'name', '',
       jsonb_build_array(line), total, 'USD', 'required', 'paid', paid_at + interval '1 day',
       'system', paid_at - interval '1 minute', paid_at
FROM seed_orders ORDER BY n;

INSERT INTO payments (merchant_id, id, payment_request_id, conversation_id, buyer_id, amount,
                      currency, state, processor, reference, ship_to, created_at, updated_at)
SELECT merchant_id, payment_id, request_id, conversation_id, buyer_id, total, 'USD', 'captured',
       'sandbox', 'sch_' || payment_id,
       '{"name": "Bea", "street": "1 Main St", "city": "Springfield", "region": null,
         "postal_code": "62701", "country": "US"}'::jsonb, paid_at, paid_at
FROM seed_orders ORDER BY n;

INSERT INTO attempts (merchant_id, id, operation, subject_id, processor, account, amount, currency,
                      state, reference, asked, sent_at, settled_at)
SELECT merchant_id, attempt_id, 'charge', payment_id, 'sandbox', processor_account, total, 'USD',
       'succeeded', 'sch_' || payment_id, 0, paid_at, paid_at
FROM seed_orders ORDER BY n;
INSERT INTO attempts (merchant_id, id, operation, subject_id, processor, account, amount, currency,
                      state, reference, asked, sent_at, settled_at)
SELECT merchant_id, attempt_id, 'payout', id, 'sandbox', processor_account, amount, 'USD',
       'succeeded', 'spo_' || id, 1, at, at
FROM seed_batches ORDER BY at;

INSERT INTO orders (merchant_id, id, number, conversation_id, buyer_id, payment_id, title, lines,
                    total, fee, currency, state, fulfilment, ship_to, ship_by, carrier,
                    tracking_number, card_seq, created_at, shipped_at, delivered_at, completed_at)
SELECT merchant_id, order_id, number, conversation_id, buyer_id, payment_id,
       line ->> 'name', jsonb_build_array(line), total, fee, 'USD',
       CASE WHEN is_over THEN 'completed' ELSE 'shipped' END, 'all',
       '{"name": "Bea", "street": "1 Main St", "city": "Springfield", "region": null,
         "postal_code": "62701", "country": "US"}'::jsonb, paid_at + interval '3 days', 'ups',
       'SEED' || n, 3 * turn - 1, paid_at, sent_at,
       CASE WHEN is_over THEN sent_at + interval '2 days' END,
       CASE WHEN is_over THEN sent_at + interval '9 days' END
FROM seed_orders ORDER BY n;

INSERT INTO shipments (merchant_id, id, order_id, carrier, tracking_number, lines, status,
                       status_at, created_at, shipped_at, delivered_at)
SELECT merchant_id, order_id, order_id, 'ups', 'SEED' || n, '[{"line": 0, "quantity": 1}]'::jsonb,
       CASE WHEN is_over THEN 'delivered' ELSE 'shipped' END, sent_at, sent_at, sent_at,
       CASE WHEN is_over THEN sent_at + interval '2 days' END
FROM seed_orders ORDER BY n;

INSERT INTO payout_batches (merchant_id, id, amount, currency, payouts, state, reference,
                            created_at, ended_at)
SELECT merchant_id, id, amount, 'USD', payouts, 'paid', 'spo_' || id, at, at
FROM seed_batches ORDER BY at;
INSERT INTO payouts (merchant_id, id, order_id, amount, fee, currency, state, shipped_at, due_at,
                     due_on, reference, batch_id, tries, created_at, submitted_at, paid_at)
SELECT merchant_id, payout_id, order_id, total - fee, fee, 'USD',
       CASE WHEN is_over THEN 'paid' ELSE 'scheduled' END, sent_at, due_at, due_at::date,
       'spo_' || batch_id, batch_id, CASE WHEN is_over THEN 1 ELSE 0 END, sent_at,
       CASE WHEN is_over THEN due_at END, CASE WHEN is_over THEN due_at END
FROM seed_orders ORDER BY n;
INSERT INTO jobs (id, kind, about, arguments, run_at, created_at)
SELECT pg_temp.id_at(sent_at), 'payouts.pay', pg_temp.text_of('pout', payout_id),
       jsonb_build_object('merchant_id', pg_temp.text_of('mer', merchant_id)), due_at, sent_at
FROM seed_orders WHERE NOT is_over ORDER BY n;

-- What has moved, in the order of time. What was captured comes first: nothing may be overdrawn.
INSERT INTO ledger_transfers (id, debit_kind, debit_owner, credit_kind, credit_owner, amount,
                              currency, why, about, phase, at)
SELECT pg_temp.id_at(at), debit, merchant_id, credit, merchant_id, amount, 'USD', why, about,
       'posted', at
FROM (SELECT 'processor_clearing' AS debit, 'held' AS credit, 'capture' AS why, merchant_id,
             total AS amount, payment_id AS about, paid_at AS at FROM seed_orders
      UNION ALL SELECT 'held', 'merchant_payable', 'release', merchant_id, total - fee, payout_id,
                       due_at FROM seed_orders WHERE is_over
      UNION ALL SELECT 'held', 'platform_fees', 'platform_fee', merchant_id, fee, payout_id,
                       due_at FROM seed_orders WHERE is_over
      UNION ALL SELECT 'merchant_payable', 'processor_clearing', 'payout', merchant_id, amount,
                       id, at FROM seed_batches) moved
ORDER BY at;

INSERT INTO merchant_takings (merchant_id, currency, hour, taken)
SELECT merchant_id, 'USD', date_trunc('hour', paid_at, 'UTC'), sum(total)
FROM seed_orders WHERE paid_at > now() - interval '8 days' GROUP BY 1, 2, 3
ON CONFLICT (merchant_id, currency, hour) DO UPDATE
SET taken = merchant_takings.taken + excluded.taken;

INSERT INTO sandbox.movements (key, operation, reference, account, about, amount, currency, state,
                               reason, return_url, created_at, moved_at)
SELECT pg_temp.text_of('att', attempt_id), 'charge', 'sch_' || payment_id, processor_account, '',
       total, 'USD', 'succeeded', '', '', paid_at, paid_at
FROM seed_orders ORDER BY n;
INSERT INTO sandbox.movements (key, operation, reference, account, about, amount, currency, state,
                               reason, return_url, created_at, moved_at)
SELECT pg_temp.text_of('att', attempt_id), 'payout', 'spo_' || id, processor_account, '', amount,
       'USD', 'succeeded', '', '', at, at
FROM seed_batches ORDER BY at;
