-- Nodes that share this database and may have missed each other's news look for what was written in
-- the last seconds, in any conversation. The log grows at its end, so a range of pages knows its
-- times well: a BRIN index keeps one row per range where a B-tree would keep one per message. It is
-- summarised as ranges fill, for what is not summarised is all read.
CREATE INDEX entries_at ON entries USING brin (at) WITH (pages_per_range = 32, autosummarize = on);
