-- When something moved, which is later than when it was asked for where the buyer had to confirm
-- it: a list of what has moved in a period goes by it.

ALTER TABLE movements ADD COLUMN moved_at timestamptz;
UPDATE movements SET moved_at = created_at WHERE state = 'succeeded';
CREATE INDEX movements_moved ON movements (moved_at, key);
