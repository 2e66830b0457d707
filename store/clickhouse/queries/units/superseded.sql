-- All copies but the newest of a document or call ($table) whose copies start in different buckets. A complete
-- copy is newer than one in progress, then the last arrival counts. ReplacingMergeTree only replaces copies in
-- one bucket. Only traces with cross-bucket references are searched, which a row in progress is. Two complete
-- copies in different buckets of a trace without such a reference are both counted: finding them would take a
-- look-up of every trace of every bucket.
SELECT trace_id, id, bucket FROM (
    SELECT trace_id, id, argMax(bucket, ver) AS newest, groupUniqArray(bucket) AS buckets FROM $table
    WHERE $input AND $cross_bucket
    GROUP BY trace_id, id HAVING length(buckets) > 1
)
ARRAY JOIN buckets AS bucket
WHERE bucket != newest
