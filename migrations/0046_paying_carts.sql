-- The request that the cart is, or was last, paid with: nobody pays for it twice meanwhile, and
-- what was bought is taken out of it once.
ALTER TABLE carts ADD COLUMN paying_id uuid;
