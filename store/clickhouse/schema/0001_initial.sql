-- The schema of 0.1.0. Times are microseconds since the epoch unless a column says otherwise; a minute is
-- the number of minutes since the epoch. `time` columns are for people.
--
-- Traces: a row for each document (segments), each call that leaves a service (calls) and each link between
-- traces (links).
--
-- Sort key: the minute of the start and the bucket, its five seconds, so that a window reads a range and
-- counting only the seconds with new rows; then trace and id, so that a resend or the complete copy of an
-- in-progress segment replaces it. The greatest `ver` wins: complete before in progress, then the last
-- arrival (store.model.precedence). A copy that starts in another bucket is not replaced; counting compares
-- copies (queries/units).
-- Partition: the day of arrival, never a time that a client sent. A document dated 1970 or 2438 costs
-- nothing extra, an import of old traces is stored for its full time, and whole parts expire.
-- Engines and what depends on the number of servers are filled in by store/clickhouse/schema/topology.py.
-- fsync (`durable`): what was acknowledged survives a crash of the machine; it costs 3 % (median) to 9 % (mean)
-- of the insert rate.
-- Granules of 1024 rows and blocks of 16 KiB: one trace is a few rows of some 40 columns, and of each column a
-- block is decompressed. A window reads as fast as with larger ones.
-- Codecs: ids and versions repeat among the rows of a trace with random bits in between, which ZSTD finds,
-- LZ4 finds less often, and Delta hides. Annotations are numbers in a dictionary: in blocks of 16 KiB their
-- texts took four times as much.
-- Rejected: partition by start day (a hostile batch opens hundreds of partitions); one table for segments
-- and calls (the map reads each alone); ORDER BY trace_id (a window reads everything); a bloom filter on
-- trace_id where the key finds a trace as fast; T64 for `ver` (0.1 byte smaller, inserts 5 % slower);
-- 512 rows and 8 KiB (no faster, 2 % larger).
CREATE TABLE IF NOT EXISTS segments{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    id UInt64 CODEC(NONE),
    parent_id UInt64 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    minute UInt32 MATERIALIZED toUInt32(greatest(0, intDiv(start, 60000000))) CODEC(Delta(4), ZSTD(1)),
    bucket UInt64 MATERIALIZED toUInt64(greatest(0, intDiv(start, 5000000))) CODEC(Delta(8), ZSTD(1)),
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(start, 'UTC'),
    duration Int64 CODEC(T64, ZSTD(1)),
    last_duration Int64 CODEC(T64, ZSTD(1)) COMMENT 'until the last work inside ended; 0: as duration',
    independent UInt8 CODEC(ZSTD(1)) COMMENT 'store.model.Independent',
    kind UInt8 CODEC(ZSTD(1)) COMMENT 'store.model.Kind',
    fetched UInt8 CODEC(ZSTD(1)) COMMENT 'store.model.Fetched',
    inferred UInt8 CODEC(ZSTD(1)),
    sampled UInt8 DEFAULT 1 CODEC(ZSTD(1)) COMMENT '0: counted by its sender, no trace',
    state UInt8 CODEC(ZSTD(1)) COMMENT '0 in progress, 1 ok, 2 error, 3 throttle, 4 fault',
    account LowCardinality(String) CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    region LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    before_account LowCardinality(String) COMMENT 'before_: store.model.Document.before' CODEC(ZSTD(1)),
    before_name LowCardinality(String) CODEC(ZSTD(1)),
    before_type LowCardinality(String) CODEC(ZSTD(1)),
    before_region LowCardinality(String) CODEC(ZSTD(1)),
    method LowCardinality(String) CODEC(ZSTD(1)),
    url String CODEC(ZSTD(1)),
    status UInt16 CODEC(ZSTD(1)),
    client_ip String CODEC(ZSTD(1)),
    user_agent String CODEC(ZSTD(1)),
    user String CODEC(ZSTD(1)),
    resource_arn LowCardinality(String) CODEC(ZSTD(1)),
    instance_id LowCardinality(String) CODEC(ZSTD(1)),
    availability_zone LowCardinality(String) CODEC(ZSTD(1)),
    service_version LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'store/rules/deployed.py',
    environment LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'store/rules/deployed.py',
    exception LowCardinality(String) CODEC(ZSTD(1)),
    annotations Array(LowCardinality(String)) CODEC(ZSTD(1)),
    members Array(UInt64) CODEC(ZSTD(1)) COMMENT 'embedded subsegments except those that are rows of calls',
    weight UInt32 DEFAULT 1 CODEC(ZSTD(1)) COMMENT 'how many spans a sampled one represents',
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(ZSTD(1)),
    -- The document as it was received; empty if it is not sampled. Spans of larger requests are in parts
    -- (store/columnar.py), which queries/search/body.sql joins: resources, scopes, names and attributes repeat from
    -- span to span, and a number in a dictionary is a fifth of what ZSTD makes of the whole; ids, times and most
    -- attributes are columns already. Bodies are read by trace, so large blocks, which compress better, cost
    -- lists and the map nothing.
    body String COMMENT 'all of it, or of a span what stands before its attributes' CODEC(ZSTD(1)) {large_blocks},
    resource LowCardinality(String) COMMENT 'empty: the document is not in parts' CODEC(ZSTD(1)) {large_blocks},
    scope LowCardinality(String) CODEC(ZSTD(1)) {large_blocks},
    head LowCardinality(String) COMMENT 'of a span in place of its body, without what other columns have'
        CODEC(ZSTD(1)) {large_blocks},
    attributes Array(LowCardinality(String)) COMMENT 'as they stand in a span, tags included'
        CODEC(ZSTD(1)) {large_blocks},
    tail String COMMENT 'what stands behind the attributes' CODEC(ZSTD(1)) {large_blocks},
    nanos UInt32 CODEC(T64, ZSTD(1)) COMMENT 'nanoseconds behind start, times 1000, and behind the end',
    -- When the row came into the database (`received`: when its collector got it, maybe long before).
    inserted Int64 MATERIALIZED toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1)),
    -- Traces with a plausible epoch in their id are a range of the key of `traces`; the others are found by
    -- this column, which costs next to nothing when there are none.
    implausible_epoch UInt8
        MATERIALIZED abs(toInt64(byteSwap(reinterpretAsUInt32(trace_id))) * 1000000 - start) > 86400000000
        CODEC(ZSTD(1)) COMMENT '1: the epoch in the trace id is more than a day from the start',
    -- Filters (store/clickhouse/search/field_tests.py): whole annotations, their keys, users.
    INDEX by_annotation annotations TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX by_key arrayMap(item -> substring(item, 1, position(item, '=')), annotations)
        TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_user user TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (minute, bucket, trace_id, id)
TTL received + toIntervalDay({retention_days})
SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 16384,
    ttl_only_drop_parts = 1, {window} = 10000, {durable}, {tidy};

-- A call has the id of its document. Unless its parent's segment knows whose it is (independent = 1) the owner_
-- columns are the node of the document, so that the map needs no join to find the caller.
CREATE TABLE IF NOT EXISTS calls{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    id UInt64 CODEC(NONE),
    -- Most calls are documents of their own, and a number without bits takes no space.
    document_xor UInt64 COMMENT 'bits in which the ids of the call and of its document differ' CODEC(ZSTD(1)),
    document_id UInt64 ALIAS bitXor(id, document_xor),
    independent UInt8 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    minute UInt32 MATERIALIZED toUInt32(greatest(0, intDiv(start, 60000000))) CODEC(Delta(4), ZSTD(1)),
    bucket UInt64 MATERIALIZED toUInt64(greatest(0, intDiv(start, 5000000))) CODEC(Delta(8), ZSTD(1)),
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(start, 'UTC'),
    duration Int64 CODEC(T64, ZSTD(1)),
    state UInt8 CODEC(ZSTD(1)) COMMENT '0 in progress, 1 ok, 2 error, 3 throttle, 4 fault',
    owner_account LowCardinality(String) CODEC(ZSTD(1)),
    owner_name LowCardinality(String) CODEC(ZSTD(1)),
    owner_type LowCardinality(String) CODEC(ZSTD(1)),
    owner_region LowCardinality(String) CODEC(ZSTD(1)),
    account LowCardinality(String) CODEC(ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    region LowCardinality(String) CODEC(ZSTD(1)),
    service LowCardinality(String) CODEC(ZSTD(1)),
    host LowCardinality(String) CODEC(ZSTD(1)),
    status UInt16 CODEC(ZSTD(1)),
    traced UInt8 CODEC(ZSTD(1)),
    exception LowCardinality(String) CODEC(ZSTD(1)),
    weight UInt32 DEFAULT 1 CODEC(ZSTD(1)),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(ZSTD(1)),
    inserted Int64 MATERIALIZED toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (minute, bucket, trace_id, id)
TTL received + toIntervalDay({retention_days})
SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 16384,
    ttl_only_drop_parts = 1, {window} = 10000, {durable}, {tidy};

-- Links between two traces: the document that carries the link, and the other end. `event_received`: when
-- the event arrived, 0 if unknown. Stored at the document's own time, so that a window finds them alone.
CREATE TABLE IF NOT EXISTS links{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    document_id UInt64 CODEC(NONE),
    independent UInt8 CODEC(ZSTD(1)),
    other_trace FixedString(16) CODEC(ZSTD(1)),
    other_id UInt64 CODEC(NONE),
    upstream UInt8 CODEC(ZSTD(1)),
    event_received Int64 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    minute UInt32 MATERIALIZED toUInt32(greatest(0, intDiv(start, 60000000))) CODEC(Delta(4), ZSTD(1)),
    bucket UInt64 MATERIALIZED toUInt64(greatest(0, intDiv(start, 5000000))) CODEC(Delta(8), ZSTD(1)),
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(start, 'UTC'),
    duration Int64 CODEC(T64, ZSTD(1)),
    state UInt8 CODEC(ZSTD(1)) COMMENT '0 in progress, 1 ok, 2 error, 3 throttle, 4 fault',
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    region LowCardinality(String),
    status UInt16 CODEC(ZSTD(1)),
    exception LowCardinality(String),
    weight UInt32 DEFAULT 1 CODEC(ZSTD(1)),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(Delta(8), ZSTD(1)),
    inserted Int64 MATERIALIZED toUnixTimestamp64Micro(now64(6)) CODEC(ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_other_trace other_trace TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (minute, bucket, trace_id, document_id, other_trace, other_id, upstream)
TTL received + toIntervalDay({retention_days})
SETTINGS ttl_only_drop_parts = 1, {window} = 10000, {durable}, {tidy};

-- The buckets in which a trace has rows, so that a trace is found without its time and the two halves of
-- a call find each other however far apart they are. `start`: its earliest document; `lo`, `hi`: the first
-- and last start of anything in it (documents and calls); `end`: their last end.
-- A row is inserted for each document and each call (`document` = 0), from which the rest follows, and the insert makes
-- one of those with the same key (store/clickhouse/write/inserts.py). A call says nothing about the earliest document.
-- Rejected: materialized views (two of them took as long as `segments` at one small insert a second).
CREATE TABLE IF NOT EXISTS traces{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    minute UInt32 DEFAULT toUInt32(greatest(0, intDiv(lo, 60000000))) CODEC(Delta(4), ZSTD(1)),
    bucket UInt64 DEFAULT toUInt64(greatest(0, intDiv(lo, 5000000))) CODEC(Delta(8), ZSTD(1)),
    start SimpleAggregateFunction(min, Int64) DEFAULT if(document, lo, 9223372036854775807) CODEC(ZSTD(1)),
    lo SimpleAggregateFunction(min, Int64) CODEC(ZSTD(1)),
    hi SimpleAggregateFunction(max, Int64) DEFAULT lo CODEC(ZSTD(1)),
    end SimpleAggregateFunction(max, Int64) DEFAULT lo + duration CODEC(ZSTD(1)),
    updated SimpleAggregateFunction(max, Int64) DEFAULT if(document, bitAnd(ver, 18014398509481983), 0) CODEC(ZSTD(1)),
    revision SimpleAggregateFunction(sum, UInt64) DEFAULT document CODEC(ZSTD(1)),
    sampled SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(1)),
    received SimpleAggregateFunction(max, DateTime('UTC')) CODEC(ZSTD(1)),
    day Date DEFAULT toDate(received),
    duration Int64 EPHEMERAL,
    ver UInt64 EPHEMERAL,
    document UInt8 EPHEMERAL
)
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY day
PRIMARY KEY trace_id
ORDER BY (trace_id, minute, bucket)
TTL received + toIntervalDay({retention_days})
SETTINGS index_granularity = 1024, min_compress_block_size = 16384, max_compress_block_size = 16384,
    ttl_only_drop_parts = 1, {window} = 10000, {durable}, {tidy};

-- Settings by name; the newest `ver` applies (store/clickhouse/schema/retention.py).
CREATE TABLE IF NOT EXISTS settings{on_cluster} (
    name String,
    value String,
    ver UInt64 COMMENT 'microseconds since the epoch'
)
ENGINE = {replicated}ReplacingMergeTree(ver)
ORDER BY name
SETTINGS {durable};

-- Alarms, and what is configured through X-Ray's API (store/clickhouse/config/configuration.py): a log of changes, each
-- a revision of the whole; the last row of a kind and name applies. Revisions are exclusive because each
-- is one insert with its number as deduplication token.
CREATE TABLE IF NOT EXISTS configuration{on_cluster} (
    kind LowCardinality(String),
    name String,
    value String COMMENT 'JSON (store/config/records.py)',
    removed UInt8,
    revision UInt64,
    writer UInt64 COMMENT 'random',
    at Int64 COMMENT 'microseconds since the epoch'
)
ENGINE = {replicated}MergeTree
ORDER BY (kind, name, revision)
SETTINGS {window} = 1000, {durable};

-- Who did what, from where (store/audit.py). Rows are only ever added.
CREATE TABLE IF NOT EXISTS audit{on_cluster} (
    at Int64 COMMENT 'microseconds since the epoch',
    actor String,
    via LowCardinality(String),
    address String,
    action LowCardinality(String),
    target String,
    outcome LowCardinality(String)
)
ENGINE = {replicated}MergeTree
ORDER BY at
TTL toDateTime(intDiv(at, 1000000)) + INTERVAL 400 DAY
SETTINGS {durable};

-- Layouts of maps, shared by all API processes (api/graph/shared_layouts.py). Revisions are exclusive as above.
CREATE TABLE IF NOT EXISTS layouts{on_cluster} (
    name String,
    value String COMMENT 'compressed JSON, in base64',
    revision UInt64,
    writer UInt64 COMMENT 'random'
)
ENGINE = {replicated}ReplacingMergeTree(revision)
ORDER BY name
SETTINGS {window} = 1000;

-- What SDKs report about sampling; the quotas of all API processes derive from it (api/sampling.py).
CREATE TABLE IF NOT EXISTS sampling_reports{on_cluster} (
    rule LowCardinality(String),
    client String,
    at Int64 COMMENT 'microseconds since the epoch',
    requests UInt64,
    sampled UInt64,
    borrowed UInt64
)
ENGINE = {replicated}MergeTree
ORDER BY at
TTL toDateTime(intDiv(at, 1000000)) + INTERVAL 1 HOUR;

CREATE TABLE IF NOT EXISTS sampling_anomalies{on_cluster} (
    rule LowCardinality(String),
    service LowCardinality(String),
    at Int64 COMMENT 'microseconds since the epoch',
    anomalies UInt64,
    sampled UInt64
)
ENGINE = {replicated}MergeTree
ORDER BY (rule, at)
TTL toDateTime(intDiv(at, 1000000)) + INTERVAL 2 DAY;

-- Deployments that were reported (`POST /api/v1/deployments`), drawn as marks on charts. The newest `ver` applies.
CREATE TABLE IF NOT EXISTS deployments{on_cluster} (
    id String,
    at Int64 COMMENT 'microseconds since the epoch',
    value String COMMENT 'JSON (store/deployments.py)',
    removed UInt8,
    ver UInt64
)
ENGINE = {replicated}ReplacingMergeTree(ver)
ORDER BY id
TTL toDateTime(intDiv(at, 1000000)) + INTERVAL 400 DAY
SETTINGS {durable};

-- What stacks declare (`raymap declare`), compared with the map. The newest `ver` applies. Without a TTL: a stack is
-- declared until it is removed.
CREATE TABLE IF NOT EXISTS declarations{on_cluster} (
    stack String,
    account String,
    region String,
    value String COMMENT 'JSON (store/declared/model.py)',
    removed UInt8,
    ver UInt64 COMMENT 'when it was declared, microseconds since the epoch'
)
ENGINE = {replicated}ReplacingMergeTree(ver)
ORDER BY (stack, account, region)
SETTINGS {durable};

-- Changes of state of alarms (store/alarms.py). Numbers of an alarm are exclusive as revisions above are. targets:
-- webhooks that the event is for, in the row itself, so that an event and what is to be sent of it are one insert.
CREATE TABLE IF NOT EXISTS alarm_events{on_cluster} (
    id String,
    alarm String,
    seq UInt64,
    at Int64 COMMENT 'microseconds since the epoch',
    targets Array(String),
    value String COMMENT 'JSON (store/alarms.py)',
    writer UInt64 COMMENT 'random'
)
ENGINE = {replicated}MergeTree
ORDER BY (alarm, seq)
TTL toDateTime(intDiv(at, 1000000)) + INTERVAL 400 DAY
SETTINGS {window} = 1000, {durable};

-- The latest attempt to send an event to a webhook; what has none, or a failed one, is sent (again).
CREATE TABLE IF NOT EXISTS alarm_deliveries{on_cluster} (
    event String,
    url String,
    status LowCardinality(String),
    attempts UInt32,
    at Int64 COMMENT 'microseconds since the epoch',
    error String,
    ver UInt64
)
ENGINE = {replicated}ReplacingMergeTree(ver)
ORDER BY (event, url)
TTL toDateTime(intDiv(at, 1000000)) + INTERVAL 400 DAY
SETTINGS {durable};

-- StartTraceRetrieval: which traces a token retrieves. They are read when they are listed.
CREATE TABLE IF NOT EXISTS retrievals{on_cluster} (
    token String,
    trace_ids Array(FixedString(16)),
    start Int64 COMMENT 'microseconds since the epoch',
    end Int64,
    started Int64,
    cancelled UInt8
)
ENGINE = {replicated}ReplacingMergeTree(cancelled)
ORDER BY token
TTL toDateTime(intDiv(started, 1000000)) + INTERVAL 1 DAY;

-- Pinned traces; the newest `ver` applies (store/clickhouse/pins.py). rows: of `segments` when the copies were last made;
-- checksum: the sum of their insertion times, modulo 2^64.
CREATE TABLE IF NOT EXISTS pins{on_cluster} (
    trace_id FixedString(16),
    note String,
    at Int64 COMMENT 'when it was pinned, microseconds since the epoch',
    removed UInt8,
    rows UInt64,
    checksum UInt64,
    ver UInt64
)
ENGINE = {replicated}ReplacingMergeTree(ver)
ORDER BY trace_id
SETTINGS {durable};

-- The map: aggregates of the units of some minutes (a bucket), so that a window costs nodes x minutes and
-- not traces. Rows are written whole by store/clickhouse/rollup, never added to.
--
-- kind: 0 a node, 1 an edge of calls, 2 an edge of links, 3 a node's background work, 255 a version row: "this
-- bucket was counted at `rev`". Only the rows with the rev of its newest version row are current; they come in one insert, so a
-- bucket changes atomically, two writers do no harm, and nothing is deleted. `complete` = 0 in the version
-- row of a coarse bucket: a minute inside was counted again since.
-- bucket: its first minute; width: its minutes (1, 5, 10, 60). rev: microseconds x 1024 + a random number.
-- histogram: time (store/rules/histogram.py) -> units; duration_delta: what to add to it for whole durations
-- (work after the answer), negative where a time loses units. failures: label and state.
-- Partition: by when it was written, never a time that a client sent.
-- Granules of 128 rows: the histograms of an edge are long, and a window takes a few rows here and there.
-- Rejected: ordered by bucket before kind (a window reads a little faster, but version rows, read every
-- second, no longer lie together).
CREATE TABLE IF NOT EXISTS rollups{on_cluster} (
    width UInt16 CODEC(ZSTD(1)),
    kind UInt8 CODEC(ZSTD(1)),
    bucket UInt32 CODEC(Delta(4), ZSTD(1)),
    source_account LowCardinality(String),
    source_name LowCardinality(String),
    source_type LowCardinality(String),
    source_region LowCardinality(String),
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    region LowCardinality(String),
    names Array(LowCardinality(String)) CODEC(ZSTD(1)) COMMENT 'services of a node, aliases of an edge',
    active UInt8 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    end Int64 CODEC(Delta(8), ZSTD(1)),
    trace_minutes UInt64 CODEC(T64, ZSTD(1)) COMMENT 'pairs of a minute and a trace in it',
    ok UInt64 CODEC(T64, ZSTD(1)),
    error UInt64 CODEC(T64, ZSTD(1)),
    throttle UInt64 CODEC(T64, ZSTD(1)),
    fault UInt64 CODEC(T64, ZSTD(1)),
    in_progress UInt64 CODEC(T64, ZSTD(1)),
    observed UInt64 CODEC(T64, ZSTD(1)) COMMENT 'units; the counts are sums of their weights',
    total_time Int128 CODEC(ZSTD(1)) COMMENT 'microseconds; a weight times a duration may exceed 64 bits',
    histogram Map(UInt64, UInt64) CODEC(ZSTD(1)),
    duration_delta Map(UInt64, Int64) CODEC(ZSTD(1)),
    failures Map(String, UInt64) CODEC(ZSTD(1)),
    complete UInt8 CODEC(ZSTD(1)),
    rows UInt64 CODEC(T64, ZSTD(1)) COMMENT 'version row: the number of rows counted',
    oldest DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'version row: when the first of them was received',
    checksum UInt64 CODEC(ZSTD(1)) COMMENT 'version row: sum of their insertion times, modulo 2^64',
    buckets UInt16 CODEC(ZSTD(1)) COMMENT 'version row of a minute: the number of buckets it was added up from',
    revisions UInt64 CODEC(ZSTD(1)) COMMENT 'version row of a minute: sum of their revisions, modulo 2^64',
    rev UInt64 CODEC(Delta(8), ZSTD(1)),
    written_at DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(rev)
PARTITION BY toYYYYMM(written_at)
ORDER BY (width, kind, bucket, source_account, source_name, source_type, source_region,
    account, name, type, region)
TTL written_at + toIntervalDay(if(width = 60, 400, 60))
SETTINGS index_granularity = 128;

-- What is counted from rows: the aggregates of a bucket of five seconds (store/clickhouse/rollup). A minute
-- of `rollups` is the sum of its buckets, so that new rows cost their seconds and not their minute. Stored
-- while rows keep arriving, and for windows that cut a minute; a missing bucket is counted again.
-- A version row (kind 255) states what was read: the rows of the bucket, and those elsewhere that its units
-- depend on. A bucket whose rows are still those is not counted again.
-- traces: a trace in several buckets of a minute is one of the minute's traces.
-- Nothing is replaced, so a reader of a version row finds the rows of that version. Ordered by kind first,
-- since version rows are read every second.
CREATE TABLE IF NOT EXISTS bucket_rollups{on_cluster} (
    bucket UInt64 CODEC(Delta(8), ZSTD(1)),
    kind UInt8 CODEC(ZSTD(1)),
    source_account LowCardinality(String),
    source_name LowCardinality(String),
    source_type LowCardinality(String),
    source_region LowCardinality(String),
    account LowCardinality(String),
    name LowCardinality(String),
    type LowCardinality(String),
    region LowCardinality(String),
    names Array(LowCardinality(String)) CODEC(ZSTD(1)),
    active UInt8 CODEC(ZSTD(1)),
    start Int64 CODEC(Delta(8), ZSTD(1)),
    end Int64 CODEC(Delta(8), ZSTD(1)),
    traces Array(Tuple(trace UInt64, weight UInt32)) CODEC(ZSTD(1)) COMMENT 'of a node: hashes, and the least weight',
    ok UInt64 CODEC(T64, ZSTD(1)),
    error UInt64 CODEC(T64, ZSTD(1)),
    throttle UInt64 CODEC(T64, ZSTD(1)),
    fault UInt64 CODEC(T64, ZSTD(1)),
    in_progress UInt64 CODEC(T64, ZSTD(1)),
    observed UInt64 CODEC(T64, ZSTD(1)),
    total_time Int128 CODEC(ZSTD(1)),
    histogram Map(UInt64, UInt64) CODEC(ZSTD(1)),
    duration_delta Map(UInt64, Int64) CODEC(ZSTD(1)),
    failures Map(String, UInt64) CODEC(ZSTD(1)),
    rows UInt64 CODEC(T64, ZSTD(1)) COMMENT 'version row: the number of rows counted',
    oldest DateTime('UTC') CODEC(ZSTD(1)) COMMENT 'version row: when the first of them was received',
    checksum UInt64 CODEC(ZSTD(1)) COMMENT 'version row: sum of their insertion times, modulo 2^64',
    far_rows UInt64 CODEC(T64, ZSTD(1)) COMMENT 'version row: the rows elsewhere that the units depend on',
    far_checksum UInt64 CODEC(ZSTD(1)) COMMENT 'version row: sum of their insertion times, modulo 2^64',
    named UInt32 CODEC(ZSTD(1)) COMMENT 'version row: names of nodes in the rows of the bucket',
    excess UInt8 CODEC(ZSTD(1)) COMMENT 'version row: 1 if names of the minute were in excess',
    rev UInt64 CODEC(Delta(8), ZSTD(1)),
    written_at DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = {replicated}MergeTree
PARTITION BY toStartOfHour(written_at)
ORDER BY (kind, bucket, rev)
TTL written_at + INTERVAL 2 HOUR
SETTINGS index_granularity = 128, ttl_only_drop_parts = 1;

-- Buckets whose count may be stale. arrived: a row came; related: a row came elsewhere that its units depend
-- on; recheck: compare again from then on, since an insert may become visible a while after it was recorded
-- here, and another process may not have recorded yet what its count depends on. looked: what was known
-- until then is counted. A row is deleted once nothing waits: whatever concerns the bucket adds another.
-- An insert of rows is marked here before them (store/clickhouse/write/inserts.py), by the clock of the server.
-- Rejected: a materialized view on each table, which marks in the same insert (three views took ClickHouse as long as
-- the three tables); deduplication, which would leave out the mark of a batch that is repeated.
CREATE TABLE IF NOT EXISTS dirty{on_cluster} (
    bucket UInt64,
    arrived SimpleAggregateFunction(max, Int64) DEFAULT toUnixTimestamp64Micro(now64(6)),
    related SimpleAggregateFunction(max, Int64),
    recheck SimpleAggregateFunction(max, Int64) DEFAULT arrived + 60000000,
    looked SimpleAggregateFunction(max, Int64),
    rows SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {replicated}AggregatingMergeTree
ORDER BY bucket
TTL toDateTime(intDiv(greatest(arrived, related, recheck), 1000000)) + INTERVAL 60 DAY,
    toDateTime(intDiv(greatest(arrived, related, recheck), 1000000)) + INTERVAL 1 HOUR
        DELETE WHERE looked > recheck AND looked > greatest(arrived, related) + 1000000
SETTINGS {tidy}, merge_with_ttl_timeout = 1800;

-- "The units of this bucket depend on rows of this trace in other buckets": a parent in another bucket or
-- not stored yet, a call whose document began in another one, the other end of a link.
CREATE TABLE IF NOT EXISTS cross_bucket_refs{on_cluster} (
    trace_id FixedString(16) CODEC(ZSTD(1)),
    bucket UInt64 CODEC(Delta(8), ZSTD(1)),
    written_at DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1))
)
ENGINE = {replicated}ReplacingMergeTree(written_at)
ORDER BY (trace_id, bucket)
TTL written_at + INTERVAL 60 DAY
SETTINGS index_granularity = 1024;

-- Log lines of traced requests (store/log_lines.py): with a trace id, a Lambda request id, or of a function's
-- log stream. Both readers have a window (that of a trace; the last minutes of a function), so the key begins
-- with the minute; in it, bloom filters find a trace's and a request's lines.
-- hash: of what makes a line the same, by any source; of two copies the one with more members (`known`)
-- wins. Partition: the day of arrival, as above; a reader takes one of the copies in two partitions.
CREATE TABLE IF NOT EXISTS log_lines{on_cluster} (
    minute UInt32 CODEC(Delta(4), ZSTD(1)),
    name LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    account LowCardinality(String) CODEC(ZSTD(1)),
    region LowCardinality(String) CODEC(ZSTD(1)),
    start Int64 CODEC(ZSTD(1)) COMMENT 'microseconds since the epoch',
    time DateTime64(6, 'UTC') ALIAS fromUnixTimestamp64Micro(start, 'UTC'),
    request_id String CODEC(ZSTD(1)),
    trace_id FixedString(16) CODEC(ZSTD(1)) COMMENT 'zeros: not known',
    span_id UInt64 CODEC(ZSTD(1)),
    severity LowCardinality(String) CODEC(ZSTD(1)),
    record LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'of the platform: init, start, end, report',
    log_group LowCardinality(String) CODEC(ZSTD(1)),
    log_stream String CODEC(ZSTD(1)),
    body String CODEC(ZSTD(3)),
    source LowCardinality(String) CODEC(ZSTD(1)),
    ordinal UInt32 CODEC(ZSTD(1)) COMMENT 'among equal lines of a millisecond',
    hash UInt64 CODEC(NONE),
    known UInt8 CODEC(ZSTD(1)),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    INDEX by_trace trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_request request_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {replicated}ReplacingMergeTree(known)
PARTITION BY toDate(received)
ORDER BY (minute, name, hash)
TTL received + toIntervalDay(7)
SETTINGS index_granularity = 1024,
    ttl_only_drop_parts = 1, {window} = 10000, {durable}, {tidy};

-- Points of metrics by minute and node (store/platform_metrics.py). point: which of the minute's points it is;
-- the same one again replaces it, so a delivery that is repeated counts once. dimensions: those that do not
-- name the node. A series is a range of the key.
CREATE TABLE IF NOT EXISTS platform_metrics{on_cluster} (
    name LowCardinality(String) CODEC(ZSTD(1)),
    type LowCardinality(String) CODEC(ZSTD(1)),
    account LowCardinality(String) CODEC(ZSTD(1)),
    region LowCardinality(String) CODEC(ZSTD(1)),
    metric LowCardinality(String) CODEC(ZSTD(1)) COMMENT 'namespace/name',
    dimensions LowCardinality(String) CODEC(ZSTD(1)),
    minute UInt32 CODEC(Delta(4), ZSTD(1)),
    point UInt64 CODEC(ZSTD(1)),
    unit LowCardinality(String) CODEC(ZSTD(1)),
    source LowCardinality(String) CODEC(ZSTD(1)),
    sum Float64 CODEC(ZSTD(1)),
    count Float64 CODEC(ZSTD(1)),
    min Float64 CODEC(ZSTD(1)),
    max Float64 CODEC(ZSTD(1)),
    received DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
    ver UInt64 CODEC(ZSTD(1)) COMMENT 'the last arrival wins'
)
ENGINE = {replicated}ReplacingMergeTree(ver)
PARTITION BY toDate(received)
ORDER BY (name, type, account, region, metric, minute, dimensions, point)
TTL received + toIntervalDay(60)
SETTINGS index_granularity = 1024,
    ttl_only_drop_parts = 1, {window} = 10000, {durable}, {tidy};
