-- Rows of the newest revision of each slot.
(width, bucket, rev) IN (
    SELECT width, bucket, max(rev) FROM rollups WHERE kind = 255 AND $slots GROUP BY width, bucket
)
