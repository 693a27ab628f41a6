BEGIN;
INSERT INTO commit_tokens (token) VALUES (gen_random_uuid());
INSERT INTO idempotency_keys (identity, method, path, key_hash, digest, locked_until, created_at)
  VALUES ('usr_bench', 'post', '/v1/payment_requests', gen_random_uuid()::text, repeat('d', 64),
          clock_timestamp(), now()) RETURNING key_hash AS key \gset
INSERT INTO directory (id, merchant_id)
  SELECT gen_random_uuid(), merchant_id FROM conversations WHERE number = 1 + :client_id
  RETURNING id AS request \gset
INSERT INTO payment_requests (merchant_id, id, conversation_id, buyer_id, title, description, lines,
                              total, currency, shipping_address, expires_at, created_by, state,
                              created_at, updated_at)
  SELECT merchant_id, :request::uuid, id, buyer_id, 'Lamp', 'A lamp',
         '[{"name": "Lamp", "quantity": 1, "unit_amount": 12500}]', 12500, 'USD', 'required',
         now() + interval '1 day', 'usr_bench', 'open', now(), now()
  FROM conversations WHERE number = 1 + :client_id;
INSERT INTO jobs (id, kind, about, arguments, run_at, created_at)
  VALUES (gen_random_uuid(), 'bench.expire', :request::text, '{"merchant_id": "mer_bench"}',
          now() + interval '1 day', now());
WITH next AS (
  UPDATE conversations SET last_seq = last_seq + 1, last_entry_at = now()
  WHERE number = 1 + :client_id RETURNING merchant_id, id, last_seq)
INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, data, at)
  SELECT merchant_id, id, last_seq, gen_random_uuid(), 'payment_request.created', 'merchant',
         '{"text": "asks for 125.00 USD", "title": "Lamp",'
         ' "total": {"amount": 12500, "currency": "USD"}}',
         now() FROM next;
UPDATE idempotency_keys SET status = 201, reply = repeat('r', 900)
  WHERE identity = 'usr_bench' AND method = 'post' AND path = '/v1/payment_requests'
    AND key_hash = :key;
COMMIT;
