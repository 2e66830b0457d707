-- Rows of the newest revision of each slot.
(width, bucket, rev) IN (
    SELECT width, bucket, max(rev) FROM rollups WHERE kind = $marker AND $slots GROUP BY width, bucket
)
