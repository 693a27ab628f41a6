-- What one of two shops sells and the other does not, or otherwise: nothing where both catalogues
-- are the same. Ids, versions and times are each shop's own.
SET search_path = bottega;
SET work_mem = '256MB';
CREATE TEMP VIEW whole AS
SELECT p.merchant_id, p.handle,
       jsonb_build_object(
         'state', p.state, 'title', p.title, 'description', p.description, 'brand', p.brand,
         'condition', p.condition, 'category', p.category, 'google', p.google_category,
         'url', p.url, 'images', p.images, 'options', p.option_names, 'tax', p.tax_class,
         'shipping', p.needs_shipping,
         'variants', (
           SELECT jsonb_agg(jsonb_build_object(
                    'sku', v.sku, 'position', v.position, 'options', v.options, 'gtin', v.gtin,
                    'mpn', v.mpn, 'prices', v.prices, 'weight', v.weight_g,
                    'availability', v.availability, 'from', v.available_at, 'image', v.image,
                    'on_hand', s.on_hand) ORDER BY v.sku)
           FROM variants v
                LEFT JOIN stock s ON s.merchant_id = v.merchant_id AND s.variant_id = v.id
           WHERE v.merchant_id = p.merchant_id AND v.product_id = p.id)) AS data
FROM products p;
CREATE TEMP TABLE one AS SELECT handle, data FROM whole WHERE merchant_id = :'one';
CREATE TEMP TABLE two AS SELECT handle, data FROM whole WHERE merchant_id = :'two';
SELECT left(coalesce(a.handle, b.handle) || ': ' || coalesce(a.data::text, 'is not there')
            || ' IN ONE, IN THE OTHER ' || coalesce(b.data::text, 'is not there'), 2000)
FROM one a FULL JOIN two b USING (handle)
WHERE a.data IS DISTINCT FROM b.data ORDER BY 1 LIMIT 5;
