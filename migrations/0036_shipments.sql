-- What was sent of an order, in how many parcels, and where each of them is; what members note
-- about an order; numbers that tell nobody how much is sold.

-- The number was one sequence over all merchants. It is now a text of its own for each merchant,
-- which the server makes of the order's id. What there is already gets another that looks the same:
-- the factor is odd, so that no two of 2^35 meet.
CREATE FUNCTION order_number(n bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  letters CONSTANT text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  code text := '';
  total integer := 0;
  digit integer;
  counted integer;
BEGIN
  FOR i IN 0..6 LOOP
    digit := ((n >> (5 * i)) & 31)::integer;
    code := substr(letters, digit + 1, 1) || code;
    counted := CASE WHEN i % 2 = 0 THEN 2 * digit ELSE digit END;
    total := total + counted / 32 + counted % 32;
  END LOOP;
  code := code || substr(letters, (32 - total % 32) % 32 + 1, 1);
  RETURN substr(code, 1, 4) || '-' || substr(code, 5);
END $$;

-- How much of an order was sent, and which entry of the log shows it first.
ALTER TABLE orders
  ADD COLUMN code text,
  ADD COLUMN fulfilment text NOT NULL DEFAULT 'none'
    CHECK (fulfilment IN ('none', 'partial', 'all')),
  ADD COLUMN card_seq bigint,
  ADD COLUMN completed_at timestamptz;
UPDATE orders SET code = order_number((number * 2654435761) % 34359738368),
       fulfilment = CASE WHEN shipped_at IS NULL THEN 'none' ELSE 'all' END;
UPDATE orders o SET card_seq = e.seq
FROM entries e
WHERE e.merchant_id = o.merchant_id AND e.conversation_id = o.conversation_id
  AND e.event = 'order.created' AND e.data #>> '{order,number}' = o.number::text;
ALTER TABLE orders DROP COLUMN number;
ALTER TABLE orders RENAME COLUMN code TO number;
ALTER TABLE orders
  ALTER COLUMN number SET NOT NULL,
  ALTER COLUMN fulfilment DROP DEFAULT,
  ADD UNIQUE (merchant_id, number),
  ADD CONSTRAINT orders_sent_check CHECK (
    CASE state WHEN 'paid' THEN fulfilment <> 'all'
               WHEN 'cancelled' THEN fulfilment = 'none'
               ELSE fulfilment <> 'none' END);
DROP FUNCTION order_number;

-- One parcel. The first of an order has the order's own id, so that a sale in one parcel needs no
-- entry in the directory. It is written by the statement that moves the order, which nothing ever
-- deletes: a foreign key would only cost.
CREATE TABLE shipments (
  merchant_id uuid NOT NULL,
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  carrier text NOT NULL,
  tracking_number text,
  tracking_url text,
  lines jsonb NOT NULL,
  status text NOT NULL CHECK (status IN ('shipped', 'label_created', 'picked_up', 'in_transit',
    'arrived_at_facility', 'departed_facility', 'in_customs', 'customs_cleared', 'delayed',
    'on_hold', 'out_for_delivery', 'delivery_attempted', 'available_for_pickup', 'delivered',
    'exception', 'address_problem', 'damaged', 'lost', 'refused', 'returning',
    'returned_to_sender', 'cancelled')),
  status_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  shipped_at timestamptz NOT NULL,
  delivered_at timestamptz,
  PRIMARY KEY (merchant_id, id),
  CHECK (status <> 'delivered' OR delivered_at IS NOT NULL)
);
CREATE INDEX shipments_more ON shipments (merchant_id, order_id) WHERE id <> order_id;
-- A carrier's news says the number and nothing else.
CREATE INDEX shipments_tracking
  ON shipments (merchant_id, upper(translate(tracking_number, ' -', '')))
  WHERE tracking_number IS NOT NULL;
GRANT SELECT, INSERT, UPDATE ON shipments TO bottega_app;

INSERT INTO shipments (merchant_id, id, order_id, carrier, tracking_number, lines, status,
                       status_at, created_at, shipped_at, delivered_at)
SELECT o.merchant_id, o.id, o.id, coalesce(o.carrier, 'other'), o.tracking_number,
       (SELECT jsonb_agg(jsonb_build_object('line', one.place - 1, 'quantity',
                                            one.item -> 'quantity') ORDER BY one.place)
        FROM jsonb_array_elements(o.lines) WITH ORDINALITY AS one (item, place)),
       CASE WHEN o.delivered_at IS NULL THEN 'shipped' ELSE 'delivered' END,
       coalesce(o.delivered_at, o.shipped_at), o.shipped_at, o.shipped_at, o.delivered_at
FROM orders o WHERE o.shipped_at IS NOT NULL;

-- What carriers say about a parcel, by their own ids: said twice it is there once.
CREATE TABLE shipment_events (
  merchant_id uuid NOT NULL,
  shipment_id uuid NOT NULL,
  event_id text NOT NULL CHECK (length(event_id) BETWEEN 1 AND 100),
  status text NOT NULL CHECK (status IN ('shipped', 'label_created', 'picked_up', 'in_transit',
    'arrived_at_facility', 'departed_facility', 'in_customs', 'customs_cleared', 'delayed',
    'on_hold', 'out_for_delivery', 'delivery_attempted', 'available_for_pickup', 'delivered',
    'exception', 'address_problem', 'damaged', 'lost', 'refused', 'returning',
    'returned_to_sender', 'cancelled')),
  at timestamptz NOT NULL,
  place text,
  note text,
  source text NOT NULL CHECK (source IN ('member', 'api_key', 'webhook')),
  received_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, shipment_id, event_id),
  FOREIGN KEY (merchant_id, shipment_id) REFERENCES shipments
);
GRANT SELECT, INSERT ON shipment_events TO bottega_app;

-- Signs what a carrier, or who speaks for it, posts to us. It must be read again to verify, as any
-- key of an HMAC; the one before it is good for a while yet.
CREATE TABLE tracking_secrets (
  merchant_id uuid NOT NULL REFERENCES merchants,
  secret text NOT NULL,
  previous text,
  previous_until timestamptz,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id)
);
GRANT SELECT, INSERT, UPDATE ON tracking_secrets TO bottega_app;

-- Of the merchant's side alone.
CREATE TABLE order_notes (
  merchant_id uuid NOT NULL,
  order_id uuid NOT NULL,
  id uuid NOT NULL,
  author_id uuid NOT NULL REFERENCES accounts,
  text text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, order_id, id),
  FOREIGN KEY (merchant_id, order_id) REFERENCES orders
);
CREATE INDEX order_notes_author ON order_notes (author_id, id);
GRANT SELECT, INSERT, DELETE ON order_notes TO bottega_app;
