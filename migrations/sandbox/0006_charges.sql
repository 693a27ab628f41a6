-- What a charge costs: it is about nothing else, and needs no entry in the index of what refunds
-- are about.
DROP INDEX movements_about;
CREATE INDEX movements_about ON movements (about) WHERE about <> '';

-- What was delivered is forgotten after a while.
CREATE INDEX events_delivered ON events USING brin (delivered_at);
GRANT DELETE ON events TO bottega_sandbox;
