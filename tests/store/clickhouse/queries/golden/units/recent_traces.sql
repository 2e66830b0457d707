SELECT trace_id FROM calls WHERE <input> AND inserted >= toUnixTimestamp64Micro(now64(6)) - 10000000
