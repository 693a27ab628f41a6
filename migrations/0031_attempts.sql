-- What a processor has said, and where a call goes, is written down with the call.

-- What has moved, where an event says it.
ALTER TABLE processor_events ADD COLUMN amount jsonb;

-- A call is sent again under its key as it was sent first, whatever has become of the merchant's
-- account; 'platform' is the account of whoever runs the server.
ALTER TABLE attempts ADD COLUMN account text NOT NULL DEFAULT '';
UPDATE attempts a SET account = coalesce(
  (SELECT coalesce(m.processor_account, '') FROM merchants m WHERE m.id = a.merchant_id),
  'platform')
WHERE operation <> 'dispute';
ALTER TABLE attempts ALTER COLUMN account DROP DEFAULT;
