-- A job that is wanted again while it runs must run again: what it has read may be older than the wish.
ALTER TABLE jobs ADD COLUMN wishes bigint NOT NULL DEFAULT 1;
