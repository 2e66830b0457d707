SELECT metric, max(unit), intDiv(minute, {step:UInt32}) * {step:UInt32} AS at, sum(sum), sum(count), min(min), max(max)
FROM platform_metrics FINAL
WHERE name = {name:String} AND type IN {types:Array(String)}
  AND ({account:String} = '' OR account IN ('', {account:String}))
  AND ({region:String} = '' OR region IN ('', {region:String}))
  AND minute >= {first:UInt32} AND minute < {last:UInt32} AND dimensions = ''
GROUP BY metric, at
ORDER BY metric, at
