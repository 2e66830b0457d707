-- Nodes that stand for names in excess, and who calls them, in the current counts of the minutes from
-- {first} on: their rows among those of some minutes, a range of the key.
SELECT account, type, region, source_name, sum(observed),
       min(arrayMin(arrayFilter(each -> each != {other:String}, names)))
FROM rollups
WHERE width = 1 AND kind IN ($SeriesKind.NODE, $SeriesKind.CALLS, $SeriesKind.BACKGROUND) AND bucket >= {first:UInt32} AND name = {other:String}
  AND source_name != {other:String} AND NOT startsWith(type, $client)
  AND (bucket, rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = $marker AND bucket >= {first:UInt32} GROUP BY bucket
  )
GROUP BY account, type, region, source_name
ORDER BY account, type, region, source_name
