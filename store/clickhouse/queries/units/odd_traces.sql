-- Traces of `scope_rows` in each bucket. `is_odd`: looking up each of its ids once does not resolve it, neither in that
-- bucket nor, where something leaves it, in all of the scope; or a SERVER span names one of its own service of which it
-- may be a part (store.layers). $entering, $nested: where spans name their services, the same of those (units/entering_traces,
-- units/nested_traces).
-- `is_open`: something leaves the bucket. Not odd, but open is the trace that is named as the cause of another, as long
-- as it does not name that itself. Of what fetched messages other spans may have the links.
SELECT trace_id, bucket, max(leaves) AS is_open, max(doubtful OR key IN (
    SELECT key FROM (
        SELECT key, /*include units/resolution*/
        FROM (/*include units/references*/) WHERE key IN (SELECT key FROM unresolved WHERE leaves)
        GROUP BY key
    )
    WHERE leaves OR doubtful
)) AS is_odd
FROM unresolved GROUP BY trace_id, bucket
$entering
$nested
UNION ALL
SELECT trace_id, bucket, 0, 1 FROM scope_rows
WHERE kind = $Kind.SERVER AND NOT independent AND refers_to != 0 AND bitXor(refers_to, cityHash64(name)) IN (
    SELECT bitXor(key, cityHash64(name)) FROM scope_rows WHERE kind IN $enclosing
)
UNION ALL
SELECT trace_id, bucket, 0, 1 FROM scope_links WHERE upstream = 0
UNION ALL
SELECT trace_id, bucket, 1, 1 FROM scope_links WHERE (trace_id, bucket) IN (SELECT trace_id, bucket FROM scope_rows WHERE fetched != $Fetched.NO)
UNION ALL
SELECT other_trace, bucket, 1, upstream = 0 FROM scope_links
