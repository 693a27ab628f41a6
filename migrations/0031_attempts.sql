-- What a processor has said, and where a call goes, is written down with the call.

-- What has moved, where an event says it.
ALTER TABLE processor_events ADD COLUMN amount jsonb;
