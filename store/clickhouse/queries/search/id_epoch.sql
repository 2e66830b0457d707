toInt64(byteSwap(reinterpretAsUInt32(trace_id))) * 1000000
