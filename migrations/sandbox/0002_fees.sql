-- What the sandbox keeps of a charge, as real processors do; NULL where it keeps nothing.

ALTER TABLE movements ADD COLUMN fee bigint CHECK (fee BETWEEN 0 AND amount);
