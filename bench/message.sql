BEGIN;
INSERT INTO commit_tokens (token) VALUES (gen_random_uuid());
INSERT INTO idempotency_keys (identity, method, path, key_hash, digest, locked_until, created_at)
  VALUES ('usr_bench', 'post', '/v1/conversations/messages', gen_random_uuid()::text,
          repeat('d', 64), clock_timestamp(), now()) RETURNING key_hash AS key \gset
WITH next AS (
  UPDATE conversations SET last_seq = last_seq + 1, last_entry_at = now()
  WHERE number = 1 + :client_id RETURNING merchant_id, id, last_seq)
INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, data, at)
  SELECT merchant_id, id, last_seq, gen_random_uuid(), 'message.created', 'buyer',
         '{"text": "Is the brass lamp still there?"}', now() FROM next;
UPDATE idempotency_keys SET status = 201, reply = repeat('r', 500)
  WHERE identity = 'usr_bench' AND method = 'post' AND path = '/v1/conversations/messages'
    AND key_hash = :key;
COMMIT;
