-- Smaller rows, and less to unpack for one trace: 39 bytes a row instead of 48, ten traces read in half
-- the time (docs/BENCHMARKS.md, Disk).
--
-- `members` says only the subsegments that are no calls: those are rows of `calls`, which name their
-- document. `last_duration` is 0 where nothing came after the answer: readers take the greater of it
-- and `duration`. Rows written before hold more, and are read the same.
-- Codecs, each measured (where none is named ClickHouse takes LZ4): ids and versions repeat among a
-- trace's rows, random bits in between, which ZSTD finds, LZ4 less so, and Delta hides. Rejected: T64
-- for a segment's `ver` (0.1 byte smaller, an insert 5 % slower).
-- Granules of 1024 rows and blocks of 16 KiB: one trace is a few rows of 36 columns, and of each
-- column a block has to be unpacked. A window reads as quickly. Rejected: 512 rows and 8 KiB (no
-- quicker, 2 % larger); large blocks for `url`, `annotations` and `user_agent` (2 % smaller, a tenth slower).
-- Without `by_trace`: where a granule lies within one minute the key finds a trace as quickly.
--
-- Granules are not altered, so both tables are made anew, and the parts attached as they are: that
-- takes no time, no room and rewrites nothing. Old rows get the codecs when they are merged, and mostly
-- keep their granules (a vertical merge does) until they expire. Whatever step it stops at, and whoever
-- does the same meanwhile: each table has all rows at each step, some maybe twice, and can be worked on
-- again.
DROP TABLE IF EXISTS segments_before;
DROP TABLE IF EXISTS calls_before;

ALTER TABLE segments DROP INDEX IF EXISTS by_trace;
ALTER TABLE segments
    MODIFY COLUMN parent_id CODEC(ZSTD(1)),
    MODIFY COLUMN account CODEC(ZSTD(1)),
    MODIFY COLUMN name CODEC(ZSTD(1)),
    MODIFY COLUMN type CODEC(ZSTD(1)),
    MODIFY COLUMN service CODEC(ZSTD(1)),
    MODIFY COLUMN method CODEC(ZSTD(1)),
    MODIFY COLUMN resource_arn CODEC(ZSTD(1)),
    MODIFY COLUMN instance_id CODEC(ZSTD(1)),
    MODIFY COLUMN availability_zone CODEC(ZSTD(1)),
    MODIFY COLUMN exception CODEC(ZSTD(1)),
    MODIFY COLUMN members CODEC(ZSTD(1)),
    MODIFY COLUMN ver CODEC(ZSTD(1)),
    COMMENT COLUMN last_duration 'until the last work inside ended; 0: as duration',
    COMMENT COLUMN members 'subsegments inside, but those that are rows of calls';
ALTER TABLE calls DROP INDEX IF EXISTS by_trace;
ALTER TABLE calls
    MODIFY COLUMN document_id CODEC(ZSTD(1)),
    MODIFY COLUMN owner_account CODEC(ZSTD(1)),
    MODIFY COLUMN owner_name CODEC(ZSTD(1)),
    MODIFY COLUMN owner_type CODEC(ZSTD(1)),
    MODIFY COLUMN account CODEC(ZSTD(1)),
    MODIFY COLUMN name CODEC(ZSTD(1)),
    MODIFY COLUMN type CODEC(ZSTD(1)),
    MODIFY COLUMN service CODEC(ZSTD(1)),
    MODIFY COLUMN host CODEC(ZSTD(1)),
    MODIFY COLUMN exception CODEC(ZSTD(1)),
    MODIFY COLUMN ver CODEC(ZSTD(1));
ALTER TABLE traces MODIFY SETTING min_compress_block_size = 16384, max_compress_block_size = 16384;

-- With the TTL that is in force.
CREATE TABLE IF NOT EXISTS segments_after AS segments
SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 16384;
CREATE TABLE IF NOT EXISTS calls_after AS calls
SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 16384;
ALTER TABLE segments_after ATTACH PARTITION ALL FROM segments;
ALTER TABLE calls_after ATTACH PARTITION ALL FROM calls;
EXCHANGE TABLES calls AND calls_after;
RENAME TABLE calls_after TO calls_before;
EXCHANGE TABLES segments AND segments_after;
RENAME TABLE segments_after TO segments_before;

-- A view follows the table it was made for, whatever that is called now: these are made for the new ones.
ALTER TABLE traces_from_segments MODIFY QUERY
SELECT s.trace_id AS trace_id, toUInt32(greatest(0, intDiv(s.start, 60000000))) AS minute,
       min(s.start) AS start, min(s.start) AS lo, max(s.start) AS hi,
       toInt64(max(bitAnd(s.ver, 4611686018427387903))) AS updated, count() AS revision,
       max(s.sampled) AS sampled, max(s.received) AS received, toDate(max(s.received)) AS day
FROM segments AS s
GROUP BY s.trace_id, minute;
ALTER TABLE traces_from_calls MODIFY QUERY
SELECT c.trace_id AS trace_id, toUInt32(greatest(0, intDiv(c.start, 60000000))) AS minute,
       toInt64(9223372036854775807) AS start, min(c.start) AS lo, max(c.start) AS hi,
       toInt64(0) AS updated, toUInt64(0) AS revision,
       toUInt8(0) AS sampled, max(c.received) AS received, toDate(max(c.received)) AS day
FROM calls AS c
GROUP BY c.trace_id, minute;
ALTER TABLE dirty_from_segments MODIFY QUERY
SELECT toUInt32(greatest(0, intDiv(start, 60000000))) AS minute,
       toUnixTimestamp64Micro(now64(6)) AS arrived, arrived + 60000000 AS confirm, count() AS rows
FROM segments GROUP BY minute;
ALTER TABLE dirty_from_calls MODIFY QUERY
SELECT toUInt32(greatest(0, intDiv(start, 60000000))) AS minute,
       toUnixTimestamp64Micro(now64(6)) AS arrived, arrived + 60000000 AS confirm, count() AS rows
FROM calls GROUP BY minute;

-- What collectors wrote meanwhile: the last of it may still be on its way into the tables of before.
SELECT sleepEachRow(1) FROM numbers(2) WHERE (
    SELECT count() FROM calls_before WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 60000000
) > 0;
INSERT INTO calls SELECT * FROM calls_before
WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 600000000
  AND (minute, trace_id, id, ver) NOT IN (
    SELECT minute, trace_id, id, ver FROM calls WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 660000000);
INSERT INTO segments SELECT * FROM segments_before
WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 600000000
  AND (minute, trace_id, id, ver) NOT IN (
    SELECT minute, trace_id, id, ver FROM segments WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 660000000);
-- And what came into the new ones before the views saw it. It counts no revision, so a repeat is harmless.
INSERT INTO traces (trace_id, minute, start, lo, hi, updated, revision, sampled, received, day)
SELECT trace_id, minute, min(start), min(start), max(start), 0, 0, max(sampled), max(received) AS newest, toDate(newest)
FROM segments WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 600000000 GROUP BY trace_id, minute;
INSERT INTO traces (trace_id, minute, start, lo, hi, updated, revision, sampled, received, day)
SELECT trace_id, minute, 9223372036854775807, min(start), max(start), 0, 0, 0, max(received) AS newest, toDate(newest)
FROM calls WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 600000000 GROUP BY trace_id, minute;
INSERT INTO dirty (minute, arrived, confirm, rows)
SELECT minute, toUnixTimestamp64Micro(now64(6)) AS now, now + 60000000, count()
FROM segments WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 600000000 GROUP BY minute;
INSERT INTO dirty (minute, arrived, confirm, rows)
SELECT minute, toUnixTimestamp64Micro(now64(6)) AS now, now + 60000000, count()
FROM calls WHERE inserted > toUnixTimestamp64Micro(now64(6)) - 600000000 GROUP BY minute;

DROP TABLE segments_before;
DROP TABLE calls_before;
