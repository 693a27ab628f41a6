-- What a processor tells by itself is work only where it is news: an attempt holds all that it may
-- say again, and so also what was kept of a charge.

ALTER TABLE attempts ADD COLUMN fee bigint;
GRANT UPDATE (fee) ON attempts TO bottega_app;

-- What was handled is forgotten after a while.
CREATE INDEX processor_events_received ON processor_events USING brin (received_at);
GRANT DELETE ON processor_events TO bottega_app;
