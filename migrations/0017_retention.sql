-- Logs may be kept for a time only: then the oldest entries of a log are deleted for good, and the
-- log begins behind them. Numbers never come back.

-- forgotten_for_buyer and forgotten_for_merchant: how many of the deleted entries were news to that
-- side, so that they no longer count as unread.
ALTER TABLE conversations
  ADD COLUMN forgotten_seq bigint NOT NULL DEFAULT 0 CHECK (forgotten_seq >= 0),
  ADD COLUMN forgotten_for_buyer bigint NOT NULL DEFAULT 0 CHECK (forgotten_for_buyer >= 0),
  ADD COLUMN forgotten_for_merchant bigint NOT NULL DEFAULT 0 CHECK (forgotten_for_merchant >= 0);

-- The server's role cannot delete entries but by this: the beginning of a log, all up to a number.
CREATE FUNCTION forget_entries(merchant uuid, conversation uuid, upto bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bottega, pg_temp AS $$
DECLARE
  gone bigint;
BEGIN
  UPDATE conversations c
  SET forgotten_seq = upto,
      forgotten_for_buyer = c.forgotten_for_buyer + n.for_buyer,
      forgotten_for_merchant = c.forgotten_for_merchant + n.for_merchant
  FROM (SELECT count(*) FILTER (WHERE author <> 'buyer') AS for_buyer,
               count(*) FILTER (WHERE author <> 'merchant') AS for_merchant
        FROM entries
        WHERE merchant_id = merchant AND conversation_id = conversation AND seq <= upto
          AND event NOT IN ('message.edited', 'message.deleted', 'message.reacted')) n
  WHERE c.merchant_id = merchant AND c.id = conversation
    AND upto > c.forgotten_seq AND upto <= c.last_seq;
  IF NOT FOUND THEN RETURN 0; END IF;
  DELETE FROM entry_texts
  WHERE merchant_id = merchant AND conversation_id = conversation AND seq <= upto;
  DELETE FROM entries
  WHERE merchant_id = merchant AND conversation_id = conversation AND seq <= upto;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
REVOKE ALL ON FUNCTION forget_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_entries TO bottega_app;

CREATE INDEX reports_resolved ON reports (resolved_at) WHERE state = 'resolved';
GRANT DELETE ON reports TO bottega_app;

-- How far the walk over all conversations has come, and when the next one begins (by the product's
-- clock). One node walks at a time, until busy_until at most (by the machine's clock).
CREATE TABLE retention_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  walk_merchant uuid NOT NULL,
  walk_conversation uuid NOT NULL,
  run_at timestamptz NOT NULL,
  busy_until timestamptz NOT NULL
);
INSERT INTO retention_state (walk_merchant, walk_conversation, run_at, busy_until)
VALUES ('00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000', now(),
        now());
GRANT SELECT, UPDATE ON retention_state TO bottega_app;
