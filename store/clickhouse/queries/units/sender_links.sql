-- Links from other traces to what they caused in traces with a segment in $target: the trace and the id they name.
-- $sender_rows: where such links are, in the buckets of $target and those that `cross_bucket_refs` has recorded.
SELECT DISTINCT other_trace AS trace_id, other_id AS id FROM links
WHERE upstream = 0 AND $sender_rows AND $not_pinned_copy
  AND other_trace IN (SELECT trace_id FROM segments WHERE $target AND independent = 0)
