WITH next AS (
  UPDATE conversations SET last_seq = last_seq + 1, last_entry_at = now()
  WHERE number = 1 + :client_id RETURNING merchant_id, id, buyer_id, last_seq)
INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id, client_key,
                     data, at)
  SELECT merchant_id, id, last_seq, gen_random_uuid(), 'message.created', 'buyer', buyer_id,
         gen_random_uuid(),
         jsonb_build_object('client_id', '123456', 'text', repeat('x', 200)), now() FROM next;
