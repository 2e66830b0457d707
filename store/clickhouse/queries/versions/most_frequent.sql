-- The values, such as versions, with the most segments of some nodes. Copies are not compared: this only ranks.
SELECT toString($value) AS of FROM $segments
WHERE $rows AND $nodes AND independent = $Independent.NO AND fetched != $Fetched.UNSEEN AND $not_pinned_copy
GROUP BY of ORDER BY count() DESC, of LIMIT {most:UInt64}
