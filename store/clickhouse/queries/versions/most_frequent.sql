-- The values, such as versions, with the most segments of some nodes. Copies are not compared: this only ranks.
SELECT toString($value) AS of FROM $segments
WHERE $rows AND $nodes AND independent = 0 AND fetched != 1 AND $not_pinned_copy
GROUP BY of ORDER BY count() DESC, of LIMIT {most:UInt64}
