-- Calls of `pairs` that are one, by which of them counts: its number is `case` (store.layers).
SELECT outer AS counting, inner AS dropped, inner, transform(pair, {pairs:Array(UInt64)}, {cases:Array(UInt64)}, toUInt64(0)) AS case
FROM pairs WHERE pair IN {pairs:Array(UInt64)}
UNION ALL
SELECT inner, outer, inner, inner_case FROM pairs WHERE pair IN {better:Array(UInt64)}
