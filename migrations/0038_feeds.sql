-- Imports of product feeds: a file waits in the store, is checked as a whole and then written into
-- the catalogue batch by batch. Where it has got to is written with each batch, so that whoever
-- goes on after a crash knows it.

CREATE TABLE feed_imports (
  merchant_id uuid NOT NULL REFERENCES merchants,
  id uuid NOT NULL,
  format text NOT NULL CHECK (format IN ('csv', 'tsv', 'xml')),
  on_error text NOT NULL CHECK (on_error IN ('skip', 'stop')),
  missing text NOT NULL CHECK (missing IN ('keep', 'archive')),
  state text NOT NULL CHECK (state IN ('uploaded', 'checking', 'importing', 'done', 'refused',
                                       'failed', 'cancelled')),
  bytes bigint NOT NULL CHECK (bytes > 0),
  bytes_read bigint NOT NULL DEFAULT 0,
  rows_read bigint NOT NULL DEFAULT 0,
  rows_good bigint NOT NULL DEFAULT 0,
  rows_bad bigint NOT NULL DEFAULT 0,
  rows_applied bigint NOT NULL DEFAULT 0,
  products_archived bigint NOT NULL DEFAULT 0,
  faults bigint NOT NULL DEFAULT 0,
  warnings bigint NOT NULL DEFAULT 0,
  reason text,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  CHECK (rows_good + rows_bad = rows_read),
  CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'refused', 'failed', 'cancelled')))
);
CREATE INDEX feed_imports_running ON feed_imports (merchant_id) WHERE ended_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON feed_imports TO bottega_app;

-- What is to be said about the rows of a file; the first ten thousand things.
CREATE TABLE feed_import_remarks (
  merchant_id uuid NOT NULL,
  import_id uuid NOT NULL,
  number integer NOT NULL CHECK (number > 0),
  line bigint NOT NULL CHECK (line >= 0),
  severity text NOT NULL CHECK (severity IN ('error', 'warning')),
  sku text,
  field text,
  detail text NOT NULL,
  PRIMARY KEY (merchant_id, import_id, number),
  FOREIGN KEY (merchant_id, import_id) REFERENCES feed_imports ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON feed_import_remarks TO bottega_app;

-- The products and variants that a file has, while it is imported and the rest is to be archived.
CREATE TABLE feed_import_seen (
  merchant_id uuid NOT NULL,
  import_id uuid NOT NULL,
  thing_id uuid NOT NULL,
  PRIMARY KEY (merchant_id, import_id, thing_id),
  FOREIGN KEY (merchant_id, import_id) REFERENCES feed_imports ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON feed_import_seen TO bottega_app;
