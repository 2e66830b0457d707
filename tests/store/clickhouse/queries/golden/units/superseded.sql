SELECT trace_id, id, bucket FROM (
    SELECT trace_id, id, argMax(bucket, ver) AS newest, groupUniqArray(bucket) AS buckets FROM <table>
    WHERE <input> AND <cross_bucket>
    GROUP BY trace_id, id HAVING length(buckets) > 1
)
ARRAY JOIN buckets AS bucket
WHERE bucket != newest
