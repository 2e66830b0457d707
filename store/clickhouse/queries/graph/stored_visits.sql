-- Sums over buckets at some revisions by the $window that each is in and by node or edge, with the traces of each:
-- (minute, hash, weight). Version rows have an empty key and form a group of their own: how many buckets there are.
SELECT window, buckets, kind, /*include units/key*/, names_, active_, start_, end_, visits, ok_, error_, throttle_, fault_, in_progress_,
       observed_, total_time_, histogram_, duration_delta_, failures_
FROM (
    SELECT $window AS window, uniqExact(bucket) AS buckets, kind, /*include units/key*/,
           groupUniqArrayArray(arrayMap(each -> (toUInt32(intDiv(bucket, 12)), each.1, each.2), traces)) AS visits,
           /*include units/sums per_trace=0*/
    FROM bucket_rollups WHERE kind IN ($series_kinds, $marker) AND (bucket, rev) IN ($revisions)
    GROUP BY window, kind, /*include units/key*/
)
