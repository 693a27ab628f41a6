-- A merchant takes several currencies, the first of which is meant where none is named. What is
-- under way in one that they take no more runs to its end: it carries its own currency.

ALTER TABLE merchants ADD COLUMN currencies text[];
UPDATE merchants SET currencies = ARRAY[currency];
ALTER TABLE merchants
  ALTER COLUMN currencies SET NOT NULL,
  -- One to ten of them.
  ADD CONSTRAINT merchants_currencies_check
    CHECK (currencies::text ~ '^\{[A-Z]{3}(,[A-Z]{3}){0,9}\}$'),
  DROP COLUMN currency,
  -- The default is written down once, as the first.
  ADD COLUMN currency text GENERATED ALWAYS AS (currencies[1]) STORED;
