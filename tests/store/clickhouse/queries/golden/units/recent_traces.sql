SELECT trace_id FROM calls WHERE <input> AND inserted >= toUnixTimestamp64Micro(now64(6)) - 10000000
UNION ALL
SELECT trace_id FROM links WHERE <input> AND inserted >= toUnixTimestamp64Micro(now64(6)) - 10000000
