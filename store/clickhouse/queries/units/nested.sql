-- The spans of units/within that are calls (`is_call`), and those that are not, but may have calls below them (`is_way`). A call
-- that names nothing is one if a segment answers it.
WITH calling AS (
    SELECT key FROM scope_rows WHERE is_call AND NOT streamed
      AND (name != '' OR key IN (SELECT refers_to FROM scope_rows WHERE NOT is_call AND NOT independent))
)
SELECT *, key IN (SELECT key FROM calling WHERE key IN (SELECT key FROM within)) AS is_call,
       NOT is_call AND key IN (
           SELECT below FROM scope_rows WHERE below IN (SELECT key FROM within) AND key IN (
               SELECT key FROM calling
               UNION ALL
               SELECT below FROM scope_rows WHERE below != 0
           )
       ) AS is_way
FROM within WHERE is_call OR is_way
