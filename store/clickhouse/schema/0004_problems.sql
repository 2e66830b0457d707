-- What has not been as usual, since when (store/problems.py). A row is written anew each minute while a problem lasts; the
-- newest applies. Problems outlive the traces that they were counted from, as the events of alarms do.
CREATE TABLE IF NOT EXISTS problems{on_cluster} (
    id String,
    since Int64 COMMENT 'microseconds since the epoch',
    ended Int64 COMMENT 'microseconds since the epoch, 0: it lasts',
    updated Int64 COMMENT 'microseconds since the epoch',
    value String COMMENT 'JSON (api/problems/record.py)' CODEC(ZSTD(3))
)
ENGINE = {replicated}ReplacingMergeTree(updated)
ORDER BY id
TTL toDateTime(intDiv(updated, 1000000)) + INTERVAL 400 DAY
SETTINGS {window} = 1000, {durable};
