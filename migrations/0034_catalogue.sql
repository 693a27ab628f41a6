-- The catalogue: what a shop sells, in which variants, at which prices, and how many pieces of it
-- are there.

CREATE TABLE products (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  -- The name by which the shop's own books know it.
  handle text NOT NULL CHECK (length(handle) BETWEEN 1 AND 100),
  version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
  state text NOT NULL CHECK (state IN ('draft', 'published', 'archived')),
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 150),
  description text NOT NULL DEFAULT '' CHECK (length(description) <= 9999),
  brand text CHECK (length(brand) BETWEEN 1 AND 70),
  condition text NOT NULL DEFAULT 'new' CHECK (condition IN ('new', 'refurbished', 'used')),
  -- A path such as "Food > Drinks > Tea".
  category text CHECK (length(category) BETWEEN 1 AND 750),
  google_category text CHECK (length(google_category) BETWEEN 1 AND 100),
  url text CHECK (length(url) <= 2000),
  images jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_array_length(images) <= 20),
  option_names jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_array_length(option_names) <= 3),
  tax_class text NOT NULL DEFAULT 'standard' CHECK (length(tax_class) BETWEEN 1 AND 50),
  needs_shipping boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  published_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, handle),
  CHECK (state <> 'published' OR published_at IS NOT NULL)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON products TO bottega_app;

-- What is bought is a variant; a product without options has one.
CREATE TABLE variants (
  merchant_id uuid NOT NULL,
  id uuid NOT NULL,
  product_id uuid NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  sku text NOT NULL CHECK (length(sku) BETWEEN 1 AND 50),
  -- As many values as the product has option_names.
  options jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_array_length(options) <= 3),
  gtin text CHECK (gtin ~ '^([0-9]{8}|[0-9]{12,14})$'),
  mpn text CHECK (length(mpn) BETWEEN 1 AND 70),
  -- One per currency: {"currency", "amount", "compare_at", "sale": {"amount", "starts_at",
  -- "ends_at"}}.
  prices jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_array_length(prices) <= 10),
  weight_g bigint CHECK (weight_g BETWEEN 0 AND 10000000),
  availability text NOT NULL DEFAULT 'in_stock'
    CHECK (availability IN ('in_stock', 'out_of_stock', 'preorder', 'backorder')),
  available_at timestamptz,
  image jsonb,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, sku),
  FOREIGN KEY (merchant_id, product_id) REFERENCES products,
  CHECK (availability <> 'preorder' OR available_at IS NOT NULL)
);
CREATE INDEX variants_product ON variants (merchant_id, product_id, position, id);
GRANT SELECT, INSERT, UPDATE, DELETE ON variants TO bottega_app;

-- How many pieces are there, and how many of them somebody is paying for. A variant without a row
-- is not counted and always there. Every sale changes a row: with room in its page and no index on
-- what changes, that stays in the page.
CREATE TABLE stock (
  merchant_id uuid NOT NULL,
  variant_id uuid NOT NULL,
  on_hand bigint NOT NULL CHECK (on_hand BETWEEN 0 AND 1000000000),
  reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  PRIMARY KEY (merchant_id, variant_id),
  FOREIGN KEY (merchant_id, variant_id) REFERENCES variants ON DELETE CASCADE,
  CHECK (reserved <= on_hand)
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE, DELETE ON stock TO bottega_app;

-- What people have changed about the stock, with their reasons; `on_hand` is what was there then,
-- or nothing where it was not counted any more. Sales are in the orders.
CREATE TABLE stock_changes (
  merchant_id uuid NOT NULL REFERENCES merchants,
  variant_id uuid NOT NULL,
  id uuid NOT NULL,
  delta bigint NOT NULL,
  on_hand bigint CHECK (on_hand >= 0),
  reason text NOT NULL,
  changed_by text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, variant_id, id)
);
GRANT SELECT, INSERT ON stock_changes TO bottega_app;

CREATE TABLE collections (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  handle text NOT NULL CHECK (length(handle) BETWEEN 1 AND 100),
  version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 100),
  position integer NOT NULL CHECK (position >= 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (merchant_id, handle)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON collections TO bottega_app;

CREATE TABLE collection_products (
  merchant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  product_id uuid NOT NULL,
  position integer NOT NULL CHECK (position >= 0),
  PRIMARY KEY (merchant_id, collection_id, product_id),
  FOREIGN KEY (merchant_id, collection_id) REFERENCES collections ON DELETE CASCADE,
  FOREIGN KEY (merchant_id, product_id) REFERENCES products ON DELETE CASCADE
);
CREATE INDEX collection_products_order
  ON collection_products (merchant_id, collection_id, position, product_id);
CREATE INDEX collection_products_of ON collection_products (merchant_id, product_id);
GRANT SELECT, INSERT, UPDATE, DELETE ON collection_products TO bottega_app;

-- Pictures that a shop has uploaded for itself, in no conversation, and the products that show
-- them.
ALTER TABLE attachments ALTER COLUMN conversation_id DROP NOT NULL;
CREATE TABLE product_pictures (
  merchant_id uuid NOT NULL,
  attachment_id uuid NOT NULL,
  product_id uuid NOT NULL,
  PRIMARY KEY (merchant_id, attachment_id, product_id),
  FOREIGN KEY (merchant_id, product_id) REFERENCES products ON DELETE CASCADE
);
CREATE INDEX product_pictures_product ON product_pictures (merchant_id, product_id);
GRANT SELECT, INSERT, DELETE ON product_pictures TO bottega_app;

-- What browsing reads. `low` is the lowest price now in the shop's default currency, where there
-- is one. From changes_at on the row is out of date: a sale begins or ends, or the last piece went.
CREATE TABLE product_index (
  merchant_id uuid NOT NULL,
  product_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('draft', 'published', 'archived')),
  low bigint CHECK (low >= 0),
  words tsvector NOT NULL,
  changes_at timestamptz,
  PRIMARY KEY (merchant_id, product_id),
  FOREIGN KEY (merchant_id, product_id) REFERENCES products ON DELETE CASCADE
);
CREATE INDEX product_index_newest ON product_index (merchant_id, state, product_id);
CREATE INDEX product_index_price ON product_index (merchant_id, state, low, product_id)
  WHERE low IS NOT NULL;
CREATE INDEX product_index_words ON product_index USING gin (words)
  WITH (gin_pending_list_limit = 1024);
CREATE INDEX product_index_due ON product_index (changes_at) WHERE changes_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON product_index TO bottega_app;

-- The lowest price of a variant at a time, in one currency: the sale's within its dates.
CREATE FUNCTION price_at(prices jsonb, wanted text, moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT CASE WHEN price -> 'sale' ->> 'amount' IS NOT NULL
               AND coalesce((price -> 'sale' ->> 'starts_at')::timestamptz <= moment, true)
               AND coalesce(moment < (price -> 'sale' ->> 'ends_at')::timestamptz, true)
              THEN (price -> 'sale' ->> 'amount')::bigint
              ELSE (price ->> 'amount')::bigint END
  FROM jsonb_array_elements(prices) AS price WHERE price ->> 'currency' = wanted LIMIT 1);

-- When the next sale of a variant begins or ends after this time.
CREATE FUNCTION price_changes_after(prices jsonb, moment timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT min(edge)
  FROM jsonb_array_elements(prices) AS price
       CROSS JOIN LATERAL (VALUES ((price -> 'sale' ->> 'starts_at')::timestamptz),
                                  ((price -> 'sale' ->> 'ends_at')::timestamptz)) AS e (edge)
  WHERE edge > moment);

-- The word by which the index knows a category, whatever its capitals and spaces.
CREATE FUNCTION category_tag(path text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 't:' || md5(lower(regexp_replace(btrim(path), '\s*>\s*', '>', 'g')));
GRANT EXECUTE ON FUNCTION price_at, price_changes_after, category_tag TO bottega_app;
