-- Values of the columns `trace_minutes` to `failures` of a marker.
0, 0, 0, 0, 0, 0, 0, 0, CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)')
