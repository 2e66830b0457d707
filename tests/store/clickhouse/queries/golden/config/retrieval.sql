SELECT arrayMap(id -> hex(id), trace_ids), start, end, started, cancelled
FROM retrievals FINAL
WHERE token = {token:String} AND started > {valid_after:Int64}
