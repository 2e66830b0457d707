-- A trace's place on the TraceId axis is the epoch in its id when that is plausible, else its first
-- start (store/trace_id.py). Traces of the first kind are a range of the key of `traces`; those of
-- the second are found by their documents, and this column says at next to no cost that there are none.
-- Computed for older rows when it is read.
ALTER TABLE segments ADD COLUMN IF NOT EXISTS strange UInt8
    MATERIALIZED abs(toInt64(byteSwap(reinterpretAsUInt32(trace_id))) * 1000000 - start) > 86400000000
    CODEC(ZSTD(1)) COMMENT '1: the epoch in its trace id is more than a day away';
