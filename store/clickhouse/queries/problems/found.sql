-- Problems that lasted at some time of a window, the latest to begin first. A problem is rare, so the table is small.
SELECT id, since, ended, updated, value FROM problems FINAL
WHERE since < {end:Int64} AND (ended = 0 OR ended > {start:Int64}) AND (ended = 0) IN {states:Array(UInt8)}
ORDER BY since DESC, id LIMIT {most:UInt64}
