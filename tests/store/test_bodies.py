"""Random documents and spans come back from ClickHouse byte for byte as they were received.

None of these spans is stored without its attributes: tests/store/clickhouse/write/test_rows.py has those.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random

import pytest

from bench.fuzz.mutations import mutate_json, mutate_protobuf
from bench.fuzz.targets import TARGETS
from collector.decode.limits import fields_of
from collector.decode.otlp.columns import decode_otlp_columns
from collector.decode.rejected import Rejected
from collector.payloads import decode_documents
from store.clickhouse.store import ClickHouseStore
from store.clickhouse.write.inserts import EncodedDocuments, encode
from store.columnar import ColumnarDocuments, columns_of
from store.memory import MemoryStore
from store.model import Document, Trace
from store.otel.stored_span import is_span
from tests.builders import T0
from tests.conftest import empty
from tests.tiers import cases
from tests.vectors import files

COUNT = cases(500)
TOGETHER = 200
"""Inputs of which the documents are stored in one insert."""
MANY = 40
TRACE = re.compile(rb"1-([0-9a-f]{8})-[0-9a-f]{24}")
IDS = re.compile(rb"\x0a\x10(.{16})\x12\x08", re.DOTALL)
"""The beginning of a span, as SDKs write it."""
Decode = Callable[[bytes, int], Sequence[Document]]


def samples(name: str, recorded: str) -> list[bytes]:
    """Those to be fuzzed, and recorded ones."""
    (target,) = (each for each in TARGETS if each.name == name)
    return [*target.samples(), *(path.read_bytes().strip() for path in files(recorded))]


def documents_of(raw: bytes, version: int) -> Sequence[Document]:
    """What is accepted of a document, or of many copies, which are decoded by column."""
    return decode_documents([raw] * copies(version), version).documents


def spans_of(body: bytes, version: int) -> Sequence[Document]:
    """The same of a request: a message that is repeated has all its fields as often."""
    try:
        return decode_otlp_columns(body * copies(version), version).documents
    except Rejected:
        return ()


def copies(version: int) -> int:
    return MANY if version % 2 else 1


def named(raw: bytes, number: int, random: Random) -> bytes:
    """The input in traces of its own."""
    raw = TRACE.sub(lambda found: b"1-%b-%024x" % (found[1], number), raw)
    return IDS.sub(
        lambda found: b"\x0a\x10%b%b\x12\x08" % (found[1][:8], number.to_bytes(8, "big")), raw
    )


def received(raw: bytes) -> bytes:
    """The part of a stored body that was received: of a span not what it shares with others."""
    if not is_span(raw):
        return raw
    (scope,) = (raw[a:b] for field, a, b in fields_of(raw, 1, len(raw)) if field == 2)
    (span,) = (scope[a:b] for field, a, b in fields_of(scope, 0, len(scope)) if field == 2)
    return span


def inputs(name: str, recorded: str, count: int, seed: int) -> Iterator[tuple[bytes, Decode]]:
    """Samples, and these with changes, each in traces of its own; and how each is decoded."""
    random, known = Random(seed), samples(name, recorded)
    mutate, decode = (
        (mutate_json, documents_of) if name == "document" else (mutate_protobuf, spans_of)
    )
    for sample in known:
        yield sample, decode
    for number in range(count):
        changed = named(random.choice(known), number, random)
        if number % 5:  # the others as they are, in traces of their own
            changed = mutate(changed, random.choice(known), random)
        yield changed[: 1 << 20], decode


def bodies(traces: Iterable[Trace]) -> dict[tuple[bytes, int], bytes]:
    return {(d.trace_id, d.id): d.raw for trace in traces for d in trace.documents.values()}


@pytest.mark.slow
@pytest.mark.timeout(60 + COUNT)
@pytest.mark.parametrize(
    ("name", "recorded"), [("document", "segments/*.json"), ("otlp-traces", "otlp/*.pb")]
)
def test_random_bodies_come_back(
    clickhouse_store: ClickHouseStore, name: str, recorded: str
) -> None:
    """Of samples with changes all that is accepted: as received, and the same as the memory store's."""
    accepted, given = 0, list(inputs(name, recorded, COUNT, 1))
    for first in range(0, len(given), TOGETHER):
        empty(clickhouse_store.address)
        memory = MemoryStore()
        chunks: list[EncodedDocuments] = []
        for number, (raw, decode) in enumerate(given[first : first + TOGETHER]):
            found = decode(raw, T0 + 101 * number)
            memory.put(list(found), f"{first} {number}")
            if isinstance(found, ColumnarDocuments):
                chunks += map(encode, found.columns)
            elif found:
                chunks.append(encode(columns_of(found)))
            assert all(received(document.raw) in raw for document in found)
        clickhouse_store.put_encoded(chunks, f"bodies {first}")
        ids = list(memory._traces)
        expected = bodies(memory.get_traces(ids, raw=True).values())
        assert bodies(clickhouse_store.get_traces(ids, raw=True).values()) == expected
        accepted += len(expected)
    assert accepted > len(given) // 3, accepted
    print(f"{name}: {len(given)} inputs, {accepted} bodies")
