"""Deletes the log lines of traces, also those that name a request or nothing but their log stream.

They are the lines that the page of a trace shows (`store.trace_logs.wanted_lines`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from clickhouse_driver import Client

from store.clickhouse.connection import sql
from store.clickhouse.connection.query_runner import Rows, Statement, execute
from store.clickhouse.search.get_traces import LinkPresence, get_traces
from store.log_lines import StreamSpan
from store.trace_documents import processed_documents
from store.trace_logs import places_in, wanted_lines

T = TypeVar("T")

CHUNK = 250
"""Traces that are read at once."""
MOST = 5_000
"""Requests, or stretches of log streams, in one statement."""


def conditions(client: Client, trace_ids: Sequence[bytes]) -> list[str]:
    """Conditions on the lines of requests and log streams of traces, as long as these are stored."""
    found = client.execute(
        "SELECT DISTINCT request_id FROM log_lines "
        f"WHERE request_id != '' AND trace_id IN {sql.trace_list(trace_ids)}",
        settings={"max_query_size": 64 << 20},
    )
    requests = {request for (request,) in found}
    spans: set[StreamSpan] = set()

    def ask(statement: Statement) -> Rows:
        rows: Rows = execute(client, statement, {"max_execution_time": 0})
        return rows

    for few in _chunks(trace_ids, CHUNK):
        for trace in get_traces(ask, few, LinkPresence(), raw=True).values():
            if places := places_in(processed_documents(trace)):
                wanted = wanted_lines(trace.trace_id, places)
                requests.update(wanted.requests)
                spans.update(wanted.streams)
    return [
        *(f"request_id IN ({_listed(few)})" for few in _chunks(sorted(requests), MOST)),
        *(_of_streams(few) for few in _chunks(sorted(spans), MOST)),
    ]


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(map(sql.text, texts))


def _of_streams(spans: Sequence[StreamSpan]) -> str:
    within = " OR ".join(
        f"(log_stream = {sql.text(stream)} AND start BETWEEN {start} AND {end})"
        for stream, start, end in spans
    )
    return f"request_id = '' AND ({within})"


def _chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while few := list(islice(rest, size)):
        yield few
