"""How many traces are odd: read whole by a count and resolved in Python, instead of by joins in SQL.

Four loads are decoded from what senders send, and inserted request by request: the shop of `bench.peers` over OTLP; the
demo, X-Ray's documents mostly; X-Ray's documents of which half of the calls are streamed, or with seconds between
caller and callee; and Brave's spans, of which a server shares its client's id. Printed are the traces, and those of them
that are odd where one count has all buckets, and where every bucket is counted by itself.

    python -m bench.odd --traces 2000
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from bench.sections import table
from bench.shop import Shop
from collector.decode.document import decode_document
from collector.decode.limits import bound_rejections
from collector.decode.otlp.json import SPANS, read_json_frames
from collector.decode.otlp.request import decode_frames, decode_otlp
from collector.decode.zipkin.spans import decode_zipkin
from raymap.demo.otel import export
from raymap.demo.story import Story
from raymap.demo.trace import Document as DemoDocument
from raymap.demo.trace import Span
from raymap.embedded import EmbeddedClickHouse
from store.clickhouse import queries
from store.clickhouse.connection.pool import connect
from store.clickhouse.connection.query_runner import COUNT_LIMITS, RunQuery, execute
from store.clickhouse.queries import Sql
from store.clickhouse.rollup import worker
from store.clickhouse.schema.migrate import migrate
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.units.base_buckets import rows_in_buckets
from store.clickhouse.units.dependencies import drop_scope, resolve_dependencies
from store.model import Document

BEGAN = 1_764_072_000.0
"""Epoch seconds."""
ARRIVED = time.time_ns() // 1000
"""The version of what arrives first (`collector.versions`)."""
FLUSH = 1.0
"""Seconds between the posts of one of Brave's reporters."""
Batches = Iterable[Sequence[Document]]


class Shares(NamedTuple):
    """Traces, those that are odd in one count of all, and those that are in the count of some bucket alone."""

    traces: int
    together: int
    alone: int

    def row(self, load: str) -> list[str]:
        """The row of a load."""
        shares = [f"{number:,} ({number / self.traces:.1%})" for number in self[1:]]
        return [load, f"{self.traces:,}", *shares]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=2_000, help="of each load")
    options = parser.parse_args()
    print("\n".join(table(("load", "traces", "odd in one count", "in a bucket's own"), ())))
    for load, make in LOADS.items():
        with tempfile.TemporaryDirectory(prefix="odd-") as folder:
            found = measure(make(options.traces), Path(folder))
        print(f"| {' | '.join(found.row(load))} |", flush=True)
    return 0


def measure(batches: Batches, folder: Path) -> Shares:
    """Insert the batches, count them, and look which traces the counts read whole."""
    with EmbeddedClickHouse(folder) as engine:
        migrate(engine.address, {"retention_days": 10_000})
        store, client = ClickHouseStore(engine.address), connect(engine.address)
        for number, batch in enumerate(batches):
            store.put(batch, str(number))
        run: RunQuery = partial(execute, client, settings=COUNT_LIMITS)
        worker.TICK = 0.0
        counting = worker.RollupWorker()
        counting.alone = False
        while counting.tick(run):  # which also records what leads from bucket to bucket
            pass
        [(traces,)] = run("SELECT uniqExact(trace_id) FROM segments")
        buckets = [bucket for (bucket,) in run("SELECT DISTINCT bucket FROM segments")]
        alone = set().union(*(_odd(run, rows_in_buckets([bucket])) for bucket in buckets))
        shares = Shares(traces, len(_odd(run, "1")), len(alone))
        store.close()
        client.disconnect()
    return shares


def _odd(run: RunQuery, rows: str) -> set[str]:
    """The traces that a count of some rows reads whole."""
    resolve_dependencies(run, rows)
    found = {id for (id,) in run(queries.RESOLVED_IN_PYTHON.render({"target": Sql("1")}))}
    drop_scope(run)
    return found


def shop(traces: int) -> Batches:
    """The shop over OTLP, of whose flags a span says whether its parent is in its process."""
    for number, body in enumerate(Shop(traces, 800).bodies):
        yield _documents(decode_otlp(body, ARRIVED + number))


def demo(traces: int) -> Batches:
    """The demo's traces, without what its functions' logs add."""
    made = itertools.islice(Story(7, 40.0).backward(BEGAN, 3600.0), traces)
    sent = [send.document for trace in made for send in trace.sends()]
    documents = [each.text for each in sent if isinstance(each, DemoDocument)]
    yield from _in_hundreds(documents)
    body = json.dumps(export([each for each in sent if isinstance(each, Span)])).encode()
    yield _documents(
        bound_rejections(decode_frames(read_json_frames(body, SPANS), ARRIVED, sampled=True))
    )


def tiers(traces: int, *, streamed: float = 0.0, gap: float = 0.0) -> Batches:
    """Three services, each of which calls the next, and the last a table. ``streamed``: the share of calls in a
    document of their own; ``gap``: seconds from a call to its answer."""
    random = Random(1)
    found: list[str] = []
    for _ in range(traces):
        began = BEGAN + 30 * random.random()
        trace_id = f"1-{int(began):08x}-{random.getrandbits(96):024x}"
        failed = random.random() < 0.05
        parent = ""
        for at, name in enumerate(("front", "api", "orders")):
            id, call_id = (f"{random.getrandbits(64):016x}" for _ in range(2))
            start, end = began + at * (gap + 0.005), began + 0.1 - at * 0.01 + 2 * gap
            times = {"start_time": start, "end_time": end}
            outcome = {"fault": True} if failed else {}
            call = {"id": call_id, **times, **outcome, **_CALLS[at]}
            segment: dict[str, Any] = {"id": id, "trace_id": trace_id, "name": name, **times}
            segment |= {"parent_id": parent, **outcome} if parent else outcome
            if random.random() < streamed:
                apart = {**call, "type": "subsegment", "trace_id": trace_id, "parent_id": id}
                found.append(json.dumps(apart))
            else:
                segment["subsegments"] = [call]
            found.append(json.dumps(segment))
            parent = call_id
    random.shuffle(found)
    return _in_hundreds(found)


_CALLS: tuple[dict[str, Any], ...] = (
    {"name": "api.example.com", "namespace": "remote"},
    {"name": "orders.example.com", "namespace": "remote"},
    {"name": "DynamoDB", "namespace": "aws", "aws": {"table_name": "orders"}},
)


def brave(traces: int) -> Batches:
    """Two services and their database; each sends what ended since its last post."""
    random = Random(2)
    ended: list[tuple[float, dict[str, Any]]] = []
    for _ in range(traces):
        trace_id, began = f"{random.getrandbits(128):032x}", BEGAN + 30 * random.random()
        root, call, query = (f"{random.getrandbits(64):016x}" for _ in range(3))
        length = random.choice((0.01, 0.03, 0.3))
        steps = (
            ("front", "SERVER", root, "", "", 0.0, length + 0.02),
            ("front", "CLIENT", call, root, "back", 0.002, length + 0.01),
            ("back", "SERVER", call, root, "", 0.005, length),
            ("back", "CLIENT", query, call, "db", 0.006, 0.005),
        )
        for service, kind, id, parent, remote, after, takes in steps:
            span: dict[str, Any] = {"traceId": trace_id, "id": id, "kind": kind}
            span |= {"timestamp": int((began + after) * 1e6), "duration": int(takes * 1e6)}
            span |= {"localEndpoint": {"serviceName": service}}
            span |= {"parentId": parent} if parent else {}
            span |= {"remoteEndpoint": {"serviceName": remote}} if remote else {}
            span |= {"shared": True} if (service, kind) == ("back", "SERVER") else {}
            ended.append((began + after + takes, span))
    posts: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for end, span in sorted(ended, key=lambda each: each[0]):
        posts.setdefault((int(end / FLUSH), span["localEndpoint"]["serviceName"]), []).append(span)
    for number, post in enumerate(posts.values()):
        decoded = decode_zipkin(json.dumps(post).encode(), ARRIVED + number)
        assert not decoded.rejected
        yield list(decoded.documents)


def _in_hundreds(texts: Sequence[str]) -> Iterator[list[Document]]:
    for at in range(0, len(texts), 100):
        yield [decode_document(text.encode(), ARRIVED + at) for text in texts[at : at + 100]]


def _documents(decoded: Iterable[object]) -> list[Document]:
    found = list(decoded)
    refused = [each for each in found if not isinstance(each, Document)]
    assert not refused, refused[:3]
    return [each for each in found if isinstance(each, Document)]


LOADS: dict[str, Callable[[int], Batches]] = {
    "shop, OTLP": shop,
    "demo, X-Ray": demo,
    "X-Ray, half of the calls streamed": partial(tiers, streamed=0.5),
    "X-Ray, 300 ms between the tiers": partial(tiers, gap=0.3),
    "two services, Brave": brave,
}


if __name__ == "__main__":
    raise SystemExit(main())
