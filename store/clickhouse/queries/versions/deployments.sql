-- The deployments of a window, the latest first.
SELECT value FROM deployments FINAL
WHERE removed = 0 AND at >= {start:Int64} AND at < {end:Int64}
ORDER BY at DESC, id LIMIT {most:UInt64}
