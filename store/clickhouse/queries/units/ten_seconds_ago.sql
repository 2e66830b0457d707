-- A batch inserts its calls a moment before its segments.
toUnixTimestamp64Micro(now64(6)) - 10000000
