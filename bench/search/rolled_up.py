"""Rolls a month of `bench.scale`'s shop up in a few statements.

A collector counts five seconds at a time, which of half a million of them takes an hour. Here nothing
arrives twice or late, and the service that answers a call is known by its host: one statement for all
slots of a width writes the rows that a collector would, but for exact histograms.
"""

from __future__ import annotations

import time

from clickhouse_driver import Client

from store.clickhouse.rollup.buckets import WIDTHS

_TYPES = (
    "['AWS::ECS::Container', 'AWS::EC2::Instance', 'AWS::Lambda::Function', "
    "'AWS::ElasticBeanstalk::Environment']"
)
_CALLED = f"""
SELECT minute, start, duration, state, trace_id, owner_name, owner_type,
       if(traced, splitByChar('.', host)[1], name) AS target,
       if(traced, {_TYPES}[toUInt8(substring(target, 5)) % 4 + 1], type) AS target_type, service, traced
FROM calls"""
_UNITS = f"""
SELECT minute, 0 AS kind, '' AS source, '' AS source_type_, name AS target, type AS target_type,
       service AS word, start, duration, state, trace_id FROM segments
UNION ALL
SELECT minute, 0, '', '', target, target_type, service, start, duration, state, trace_id
FROM ({_CALLED}) WHERE NOT traced
UNION ALL
SELECT minute, 1, owner_name, owner_type, target, target_type, '', start, duration, state, trace_id
FROM ({_CALLED})
UNION ALL
SELECT minute, 1, name, 'client', name, type, '', start, duration, state, trace_id FROM segments
WHERE parent_id = 0"""
_COLUMNS = (
    "width, kind, bucket, source_name, source_type, name, type, names, start, end, trace_minutes, "
    "ok, error, throttle, fault, observed, total_time, histogram, complete, rev"
)
_SLOTS = f"""
INSERT INTO rollups ({_COLUMNS})
SELECT {{width}}, kind, intDiv(minute, {{width}}) * {{width}} AS slot, source, source_type_, target, target_type,
       groupUniqArrayIf(toString(word), word != ''), min(start), max(start + duration), uniq(trace_id),
       countIf(state = 1), countIf(state = 2), countIf(state = 3), countIf(state = 4), count(),
       sum(toInt128(duration)), sumMap(map(toUInt64(log2(duration + 1) * 8), toUInt64(1))), 1, {{rev}}
FROM ({_UNITS})
GROUP BY kind, slot, source, source_type_, target, target_type"""
_VERSIONS = """
INSERT INTO rollups (width, kind, bucket, complete, rows, rev)
SELECT {width}, 255, intDiv(minute, {width}) * {width} AS slot, 1, count(), {rev}
FROM segments GROUP BY slot"""


def roll_up(client: Client) -> float:
    """Count everything; the seconds it took."""
    begun = time.monotonic()
    rev = time.time_ns() // 1000 << 10
    for width in (1, *WIDTHS):
        for statement in (_SLOTS, _VERSIONS):
            client.execute(statement.format(width=width, rev=rev))
    client.execute("TRUNCATE TABLE dirty")
    return time.monotonic() - begun
