"""Trace retrievals in ClickHouse: `store.config.protocol.RetrievalStore`."""

from __future__ import annotations

from clickhouse_driver import Client

from store.clickhouse import queries
from store.clickhouse.connection.query_runner import execute
from store.config.protocol import RETRIEVAL_SECONDS, Retrieval
from store.model import TimeRange

COLUMNS = "token, trace_ids, start, end, started, cancelled"


def put_retrieval(client: Client, retrieval: Retrieval) -> None:
    """Store a retrieval; a cancelled one replaces it."""
    # The driver takes FixedString from text or bytes; ids are any bytes.
    ids = list(retrieval.trace_ids)
    row = (retrieval.token, ids, *retrieval.window, retrieval.started, int(retrieval.cancelled))
    client.execute(f"INSERT INTO retrievals ({COLUMNS}) VALUES", [row])


def get_retrieval(client: Client, token: str, now: int) -> Retrieval | None:
    """The retrieval with a token, unless it has expired."""
    statement = queries.RETRIEVAL.render(token=token, valid_after=_valid_after(now))
    for ids, start, end, started, cancelled in execute(client, statement):
        trace_ids = tuple(bytes.fromhex(digits) for digits in ids)
        return Retrieval(token, trace_ids, TimeRange(start, end), started, bool(cancelled))
    return None


def count_retrievals(client: Client, now: int) -> int:
    """Valid ones that are not cancelled."""
    ((count,),) = client.execute(
        f"SELECT count() FROM retrievals FINAL WHERE started > {_valid_after(now)} AND NOT cancelled"
    )
    return int(count)


def _valid_after(now: int) -> int:
    return now - RETRIEVAL_SECONDS * 1_000_000
