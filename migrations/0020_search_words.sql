-- Words of a message are what stands between signs too: PostgreSQL's parser would take `red/blue`,
-- `SKU-1234` or `end.Next` for one word, and `<sofas>` for a tag. Each sign becomes a space, so
-- that what is found stands where it stood. What was taken in before is taken in anew.

CREATE FUNCTION search_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(given, '!#$%&()*+,-./:;<=>?@[\]^_`{|}~', '                              ');
GRANT EXECUTE ON FUNCTION search_plain TO bottega_app;

UPDATE search_positions SET language = '';
