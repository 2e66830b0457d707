SELECT trace_id, document_id, other_trace, other_id, upstream, bucket FROM (
    SELECT trace_id, document_id, other_trace, other_id, upstream,
           argMax(bucket, ver) AS newest, groupUniqArray(bucket) AS buckets FROM links
    WHERE <input> AND <cross_bucket>
    GROUP BY trace_id, document_id, other_trace, other_id, upstream HAVING length(buckets) > 1
)
ARRAY JOIN buckets AS bucket
WHERE bucket != newest
