-- What a card says of itself beside its number: until when it is good.

ALTER TABLE methods
  ADD COLUMN expiry_month integer,
  ADD COLUMN expiry_year integer;
