-- What a shop has is looked up by its keys, (merchant_id, …). Statistics of merchant_id would say
-- of a shop that is newer than they are that it has one row at most: the planner then reads by
-- merchant_id alone, and a feed's first thousand rows, which no statistics see before they are
-- committed, meet each other one by one. Without them it takes a shop to have a 200th of the rows,
-- of as many as the table has by now. Giving the column the type it has forgets what is known of it
-- already, and rewrites nothing.
ALTER TABLE products ALTER COLUMN merchant_id SET STATISTICS 0, ALTER COLUMN merchant_id TYPE uuid;
ALTER TABLE variants ALTER COLUMN merchant_id SET STATISTICS 0, ALTER COLUMN merchant_id TYPE uuid;
ALTER TABLE stock ALTER COLUMN merchant_id SET STATISTICS 0, ALTER COLUMN merchant_id TYPE uuid;
ALTER TABLE collection_products
  ALTER COLUMN merchant_id SET STATISTICS 0, ALTER COLUMN merchant_id TYPE uuid;
