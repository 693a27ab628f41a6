-- What a buyer takes from the catalogue is a payment request like any other: one that says where it
-- came from, how its price came about, and what the buyer has given for it.
ALTER TABLE payment_requests
  ADD COLUMN origin text NOT NULL DEFAULT 'merchant'
    CHECK (origin IN ('merchant', 'buy_now', 'cart', 'link')),
  ADD COLUMN breakdown jsonb,
  ADD COLUMN contact jsonb,
  ADD COLUMN ship_to jsonb,
  ADD COLUMN payment_link_id uuid;
ALTER TABLE orders ADD COLUMN breakdown jsonb;
-- What is set aside of the stock while it is being paid; what it was sold from, once it is.
ALTER TABLE payments ADD COLUMN held jsonb;
GRANT UPDATE (held) ON payments TO bottega_app;

-- What a shop is asked before a charge: whether this sale may go on. Nobody has answered it in time
-- where there is no answer once it is over.
CREATE TABLE payment_questions (
  merchant_id uuid NOT NULL,
  payment_id uuid NOT NULL,
  payment_request_id uuid NOT NULL,
  standing_answer text NOT NULL CHECK (standing_answer IN ('accept', 'refuse')),
  answer text CHECK (answer IN ('accept', 'refuse')),
  reason text,
  answered_by text,  -- NULL: it is the standing answer
  asked_at timestamptz NOT NULL,
  answer_by timestamptz NOT NULL,
  answered_at timestamptz,
  PRIMARY KEY (merchant_id, payment_id),
  FOREIGN KEY (merchant_id, payment_id) REFERENCES payments,
  CHECK ((answer IS NULL) = (answered_at IS NULL))
);
CREATE INDEX payment_questions_request
  ON payment_questions (merchant_id, payment_request_id, payment_id);
GRANT SELECT, INSERT, UPDATE ON payment_questions TO bottega_app;
