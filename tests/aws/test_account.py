"""A whole account: AWS's own records alone draw the map that was written down before, in any order, in both stores;
and SDKs' documents of the same requests beside them change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec import structs

from collector.decode.document import decode_document
from collector.decode.lambda_records.cloudwatch import Delivery, decode_delivery
from store.clickhouse.store import ClickHouseStore
from store.event_evidence import with_source
from store.invocation_evidence import evidence_in, invocations_in
from store.memory import MemoryStore
from store.model import Document, TimeRange, Trace, derived_version, relayed_version
from store.protocol import Store
from store.rules.event_sources import Messages
from store.rules.histogram import bucket
from store.rules.invocation_documents import documents_of
from store.rules.invocations import NOTHING, Evidence, Invocation, rank_of
from store.times import MINUTE, SECOND
from tests.aws import expected
from tests.aws.account import bucket_of, recordings
from tests.aws.recording import REGION, START, Recording
from tests.aws_spans import records_of
from tests.collector.test_aws_spans import decoded
from tests.lambda_samples import delivery, log_batch, record

WINDOW = TimeRange(START * SECOND - MINUTE, START * SECOND + 10 * MINUTE)
ARRIVED = START * SECOND
LATER = ARRIVED + 10 * MINUTE


def by_aws(found: Iterable[Recording], *, inside: bool = False) -> list[Document]:
    """Through ``aws/spans`` of each account; with what SDKs send to X-Ray, too."""
    documents: list[Document] = []
    for recording in found:
        given = recording.documents + (recording.inside if inside else [])
        records = [r for each in given for r in records_of(each, says_origin=False)]
        documents += decoded(records, ARRIVED, recording.place.account, REGION)
    return documents


def by_sdk(found: Iterable[Recording]) -> list[Document]:
    """What SDKs send here."""
    given = [each for recording in found for each in recording.inside]
    return [decode_document(json.dumps(each).encode(), ARRIVED + 1) for each in given]


def logged(found: Iterable[Recording]) -> list[Invocation]:
    """What Lambda's logs say, by the same subscription."""
    invocations: list[Invocation] = []
    for recording in found:
        for name in dict.fromkeys(name for name, *_ in recording.lines):
            lines = [(at, text) for other, at, text in recording.lines if other == name]
            batch = log_batch(
                owner=recording.place.account,
                logGroup=f"/aws/lambda/{name}",
                logStream="2026/11/24/[7]3893aa",
            )
            batch["logEvents"] = [
                {"id": str(n), "timestamp": round(at * 1000), "message": text}
                for n, (at, text) in enumerate(sorted(lines, key=lambda each: each[0]))
            ]
            request = msgspec.convert(delivery(record(batch)), Delivery)
            read = decode_delivery(request, REGION)
            assert not read.rejected
            invocations += read.invocations
    return invocations


def sourced(found: Iterable[Recording]) -> list[Invocation]:
    """The same, with what the layer sees of the events behind streams and buckets: three messages each time."""
    invocations: list[Invocation] = []
    for recording in found:
        place = recording.place
        sources = {
            place.name("scan"): place.arn("kinesis", f"stream/{place.name('scans')}"),
            place.name("thumb"): f"arn:aws:s3:::{bucket_of(place)}",
        }
        for each in logged([recording]):
            source, messages = sources.get(each.function, ""), (Messages(3),)
            known = {"event_source": source, "messages": messages} if source else {}
            invocations.append(structs.replace(each, **known))
    return invocations


Arriving = Document | Invocation


class World:
    """A store that takes documents and invocations, and joins them as the API's joiner does."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._number = 0

    def take(self, *arriving: Arriving) -> None:
        documents: list[Document] = []
        for each in arriving:
            documents += [each] if isinstance(each, Document) else self._derived(each, NOTHING)
        self._put(documents)

    def join(self, trace_ids: Iterable[bytes]) -> None:
        for _ in range(2):
            documents: list[Document] = []
            for trace in self.store.get_traces(sorted(set(trace_ids)), raw=True).values():
                for found in invocations_in(trace):
                    evidence = evidence_in(trace, found, now=LATER)
                    documents += self._derived(found.invocation, evidence)
                    documents += self._completed(trace, found.invocation, evidence)
            self._put(documents)

    def _derived(self, invocation: Invocation, evidence: Evidence) -> Iterator[Document]:
        self._number += 1
        version = derived_version(ARRIVED + self._number, rank_of(invocation, evidence))
        for each in documents_of(invocation, evidence):
            yield decode_document(msgspec.json.encode(each), version)

    def _completed(
        self, trace: Trace, invocation: Invocation, evidence: Evidence
    ) -> Iterator[Document]:
        own = with_source(trace, invocation, evidence)
        if own:
            self._number += 1
            at = ARRIVED + self._number
            version = relayed_version(at) if own.relayed else at
            yield decode_document(msgspec.json.encode(own.document), version)

    def _put(self, documents: list[Document]) -> None:
        self._number += 1
        if documents:
            self.store.put(documents, f"batch {self._number}")

    def drawn(self) -> dict[str, Any]:
        graph = self.store.service_graph(WINDOW, settled_before=LATER)
        return {
            "nodes": {
                key: counts(each.statistics)
                for key, each in graph.services.items()
                if not key.is_client
            },
            "edges": {key: counts(each.statistics) for key, each in graph.edges.items()},
            "links": {key: counts(each.statistics) for key, each in graph.links.items()},
            "unfinished": sum(each.statistics.in_progress for each in graph.services.values()),
        }


def counts(statistics: Any) -> expected.Counts:
    s = statistics
    return s.ok, s.error, s.throttle, s.fault


def expected_map(nodes: Any, edges: Any, links: Any) -> dict[str, Any]:
    found = {"nodes": expected.whole(nodes), "edges": expected.whole(edges)}
    return {**found, "links": expected.whole(links), "unfinished": 0}


AWS_ALONE = expected_map(expected.nodes_of, expected.edges_of, expected.links_of)
WITH_SDKS = expected_map(
    expected.with_rates(expected.nodes_of),
    expected.with_rates(expected.edges_of),
    expected.links_of,
)
SOURCED = expected_map(
    expected.nodes_of,
    expected.with_sources(expected.edges_of),
    expected.with_sources(expected.links_of),
)


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    found: ClickHouseStore = request.getfixturevalue("clickhouse_store")
    return found


def shuffled(arriving: Sequence[Arriving], seed: int) -> Iterator[list[Arriving]]:
    """In batches; some arrive twice."""
    random = Random(seed)
    all = [*arriving, *random.sample(arriving, len(arriving) // 5)]
    random.shuffle(all)
    for at in range(0, len(all), 90):
        yield all[at : at + 90]


def drawn_of(store: Store, arriving: Sequence[Arriving], seed: int) -> dict[str, Any]:
    world = World(store)
    for number, batch in enumerate(shuffled(arriving, seed)):
        world.take(*batch)
        if number % 3 == 0:
            world.store.service_graph(WINDOW)
            world.join(each.trace_id for each in batch)
    world.join(each.trace_id for each in arriving)
    return world.drawn()


def test_aws_s_own_records_draw_the_account(store: Store) -> None:
    """Every node, edge and link with its colours, and no other; each account and stage by itself."""
    found = recordings()
    world = World(store)
    world.take(*by_aws(found))
    assert world.drawn() == AWS_ALONE
    graph = world.store.service_graph(WINDOW)
    for (queue, _), link in graph.links.items():
        assert queue.type == "AWS::SQS::Queue"
        assert link.statistics.histogram == {bucket(400_000): link.statistics.total}


@pytest.mark.parametrize("seed", range(3))
def test_logs_beside_them_double_nothing(store: Store, seed: int) -> None:
    """Documents and Lambda's log lines, in any order, some twice."""
    found = recordings()
    assert drawn_of(store, [*by_aws(found), *logged(found)], seed) == AWS_ALONE


@pytest.mark.parametrize("seed", range(3))
def test_what_events_came_from_is_in_front_of_functions(store: Store, seed: int) -> None:
    """A stream and a bucket in place of clients."""
    found = recordings()
    drawn = drawn_of(store, [*by_aws(found), *sourced(found)], seed)
    assert drawn == SOURCED


@pytest.mark.parametrize("seed", range(3))
def test_logs_alone_know_the_functions(store: Store, seed: int) -> None:
    """What needs no ``aws/spans``: each function and its failures."""
    found = recordings()
    lines: list[Arriving] = [*logged(found)]
    drawn = drawn_of(store, lines, seed)
    functions = {k: v for k, v in AWS_ALONE["nodes"].items() if k.type.startswith("AWS::Lambda")}
    assert drawn["nodes"] == functions


@pytest.mark.parametrize("seed", range(3))
def test_sdks_beside_them_double_nothing(store: Store, seed: int) -> None:
    """The same spans by X-Ray's SDKs here, by ``aws/spans``, or by both."""
    found = recordings()
    both: list[Arriving] = [*by_aws(found, inside=True), *by_sdk(found), *logged(found)]
    assert drawn_of(store, both, seed) == WITH_SDKS


def test_by_either_way_alone_it_is_the_same(store: Store) -> None:
    found = recordings()
    half = {document.id for document in by_sdk(found) if Random(document.id).random() < 0.5}
    own = [each for each in by_sdk(found) if each.id in half]
    others = [each for each in by_aws(found, inside=True) if each.id not in half]
    assert drawn_of(store, [*own, *others], 1) == WITH_SDKS
