-- When buckets were last seen by a count.
SELECT bucket, max(looked) FROM dirty WHERE bucket IN ($buckets) GROUP BY bucket
