-- A job that is wanted again while it runs must run again: it may have read what came before the
-- wish.
ALTER TABLE jobs ADD COLUMN wishes bigint NOT NULL DEFAULT 1;
