-- Orders as they are there after some months of selling, :orders of them among all shops that may
-- sell, few of which have most. Nine in ten were paid out and are over; the others are on their
-- way, and their payouts are due. Each has all that a sale writes: its request, payment, attempt,
-- parcel, payout, entries of the log and transfers, and what the sandbox has in its own books.
-- Run once, as the owner: the audit finds nothing wrong afterwards.
SET search_path = bottega;
SET work_mem = '128MB';
BEGIN;

-- Identifiers of version 7 (RFC 9562) from a time, and as the server writes them.
CREATE FUNCTION pg_temp.id_at(moment timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
           substring(int8send((extract(epoch FROM moment) * 1000)::bigint) FROM 3)
           FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid $$;
CREATE FUNCTION pg_temp.text_of(prefix text, id uuid) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT prefix || '_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz',
           substring(bits FROM 5 * i + 1 FOR 5)::bit(5)::integer + 1, 1), '' ORDER BY i)
  FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128) AS bits) b,
       generate_series(0, 25) i $$;
-- Of 35 bits: the factor is odd, so that no two meet.
CREATE FUNCTION pg_temp.number_of(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT overlay(digits PLACING '-' FROM 5 FOR 0)
         || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((32 - total % 32) % 32 + 1)::integer, 1)
  FROM (SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', digit + 1, 1), ''
                          ORDER BY i DESC) AS digits,
               sum(CASE WHEN i % 2 = 0 THEN 2 * digit / 32 + 2 * digit % 32
                        ELSE digit END) AS total
        FROM (SELECT i, (((n * 2654435761) % 34359738368) >> (5 * i) & 31)::integer AS digit
              FROM generate_series(0, 6) i) d) s $$;

-- Shop number i gets one part in i.
CREATE TEMP TABLE seed_slots AS
SELECT row_number() OVER (ORDER BY s.place, slot) - 1 AS place, s.merchant_id,
       s.processor_account, s.owner
FROM (SELECT m.id AS merchant_id, m.processor_account,
             (SELECT mm.account_id FROM merchant_members mm
              WHERE mm.merchant_id = m.id AND mm.role = 'owner' LIMIT 1) AS owner,
             row_number() OVER (ORDER BY m.number) AS place
      FROM merchants m
      WHERE m.onboarding = 'active'
        AND EXISTS (SELECT FROM variants v WHERE v.merchant_id = m.id)) s
     CROSS JOIN LATERAL generate_series(1, 1 + 200 / s.place) AS slot;

CREATE TEMP TABLE seed_variants AS
SELECT v.merchant_id, row_number() OVER (PARTITION BY v.merchant_id ORDER BY v.id) - 1 AS place,
       jsonb_build_object('name', p.title, 'quantity', 1, 'sku', v.sku,
                          'unit_amount', (v.prices -> 0 ->> 'amount')::bigint,
                          'variant_id', pg_temp.text_of('var', v.id)) AS line
FROM variants v
     JOIN products p ON p.merchant_id = v.merchant_id AND p.id = v.product_id;
CREATE TEMP TABLE seed_counts AS
SELECT merchant_id, count(*) AS variants FROM seed_variants GROUP BY merchant_id;

CREATE TEMP TABLE seed_people AS
SELECT n - 1 AS place, pg_temp.id_at(now() - interval '100 days') AS id
FROM generate_series(1, 5000) n;
INSERT INTO accounts (id, email, name, password_hash, created_at)
SELECT id, 'seed' || place || '@bench.example', 'Seed', 'none', now() - interval '100 days'
FROM seed_people;

CREATE TEMP TABLE seed_talks AS
SELECT row_number() OVER () - 1 AS place, merchant_id, processor_account, owner, buyer_id,
       pg_temp.id_at(now() - interval '100 days') AS id
FROM (SELECT DISTINCT s.merchant_id, s.processor_account, s.owner, b.id AS buyer_id
      FROM generate_series(0, 19999) n
           JOIN seed_slots s ON s.place = n % (SELECT count(*) FROM seed_slots)
           JOIN seed_people b ON b.place = (n * 7919) % 5000) t;
ANALYZE seed_slots, seed_variants, seed_counts, seed_people, seed_talks;

CREATE TEMP TABLE seed_orders AS
SELECT o.n, o.is_over, o.paid_at, t.merchant_id, t.processor_account, t.owner, t.buyer_id,
       t.id AS conversation_id, v.line, (v.line ->> 'unit_amount')::bigint AS total,
       ((v.line ->> 'unit_amount')::bigint * 29 + 500) / 1000 + 30 AS fee,
       row_number() OVER (PARTITION BY t.id ORDER BY o.n) AS turn,
       pg_temp.id_at(o.paid_at - interval '1 minute') AS request_id,
       pg_temp.id_at(o.paid_at) AS payment_id, pg_temp.id_at(o.paid_at) AS attempt_id,
       pg_temp.id_at(o.paid_at) AS order_id, pg_temp.id_at(o.sent_at) AS payout_id,
       pg_temp.number_of(o.n) AS number,
       o.sent_at, o.sent_at + interval '5 days' AS due_at
FROM (SELECT n, is_over, paid_at, paid_at + interval '10 minutes' AS sent_at
      FROM (SELECT n, n <= :orders * 0.9 AS is_over,
                   CASE WHEN n <= :orders * 0.9
                          THEN now() - interval '90 days'
                               + interval '80 days' * (n / (:orders * 0.9))
                        ELSE now() - interval '1 day'
                             + interval '22 hours' * ((n - :orders * 0.9) / (:orders * 0.1)) END
                     AS paid_at
            FROM generate_series(1, :orders::bigint) n) x) o
     JOIN seed_talks t ON t.place = (o.n * 48271) % (SELECT count(*) FROM seed_talks)
     JOIN seed_counts c ON c.merchant_id = t.merchant_id
     JOIN seed_variants v ON v.merchant_id = t.merchant_id AND v.place = (o.n * 31) % c.variants;
ALTER TABLE seed_orders ADD COLUMN batch_id uuid, ADD COLUMN order_text text;
-- One payout of a shop in a day.
CREATE TEMP TABLE seed_batches AS
SELECT merchant_id, processor_account, due_at::date AS day, max(due_at) AS at,
       sum(total - fee)::bigint AS amount, count(*)::integer AS payouts,
       pg_temp.id_at(max(due_at)) AS id, pg_temp.id_at(max(due_at)) AS attempt_id
FROM seed_orders WHERE is_over GROUP BY merchant_id, processor_account, due_at::date;
ANALYZE seed_orders, seed_batches;
UPDATE seed_orders o SET batch_id = b.id
FROM seed_batches b WHERE o.is_over AND b.merchant_id = o.merchant_id AND b.day = o.due_at::date;
UPDATE seed_orders SET order_text = pg_temp.text_of('ord', order_id);
ANALYZE seed_orders;

-- The log: what was offered, and what became of it.
SET enable_seqscan = off;
INSERT INTO conversations (merchant_id, id, buyer_id, last_seq, for_buyer, for_merchant,
                           last_entry_at, created_at)
SELECT t.merchant_id, t.id, t.buyer_id, 3 * count(o.n), 3 * count(o.n), 2 * count(o.n),
       coalesce(max(o.sent_at), now() - interval '100 days'), now() - interval '100 days'
FROM seed_talks t LEFT JOIN seed_orders o ON o.conversation_id = t.id
GROUP BY t.merchant_id, t.id, t.buyer_id;
INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id, data, at)
SELECT o.merchant_id, o.conversation_id, 3 * (o.turn - 1) + e.step, pg_temp.id_at(e.at), e.event,
       e.author, CASE e.step WHEN 1 THEN o.owner END,
       jsonb_build_object('text', e.words) || CASE e.step
         WHEN 1 THEN jsonb_build_object('product', o.line)
         ELSE jsonb_build_object('order', jsonb_build_object(
                'id', o.order_text, 'number', o.number,
                'currency', 'USD', 'total', o.total, 'state', e.state, 'title', o.line -> 'name',
                'lines', jsonb_build_array(o.line), 'created_at', o.paid_at)) END, e.at
FROM seed_orders o
     CROSS JOIN LATERAL (VALUES
       (1, 'message.created', 'merchant', 'This one', '', o.paid_at - interval '1 minute'),
       (2, 'order.created', 'system', 'Order: paid.', 'paid', o.paid_at),
       (3, 'order.shipped', 'system', 'Order: shipped.', 'shipped', o.sent_at))
       AS e (step, event, author, words, state, at)
ORDER BY o.n, e.step;
INSERT INTO search_positions (merchant_id, conversation_id, language, indexed_seq)
SELECT t.merchant_id, t.id, 'simple', 3 * count(o.n)
FROM seed_talks t LEFT JOIN seed_orders o ON o.conversation_id = t.id GROUP BY t.merchant_id, t.id;

INSERT INTO directory (id, merchant_id)
SELECT id, merchant_id FROM seed_talks
UNION ALL SELECT attempt_id, merchant_id FROM seed_batches
UNION ALL SELECT x.id, o.merchant_id
FROM seed_orders o
     CROSS JOIN LATERAL (VALUES (o.request_id), (o.payment_id), (o.attempt_id), (o.order_id),
                                (o.payout_id)) AS x (id);

\ir sale_money.sql

COMMIT;
-- Days that are over are closed, as the server would, a day at a time.
SELECT brin_summarize_new_values('ledger_transfers_at') > 0;
DO $$ BEGIN WHILE ledger_close() IS NOT NULL LOOP NULL; END LOOP; END $$;
