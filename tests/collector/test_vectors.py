"""Every sample of the ingest kinds is accepted or rejected as its manifest says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from collector.decode.daemon import split_datagram
from collector.decode.document import decode_documents
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces
from store.memory import MemoryStore
from store.model import Document, NodeKey
from store.service_graph import build_service_graph
from tests.vectors import SAMPLES, rows

KINDS = ("segments", "datagrams", "malformed", "traces")
ACCEPTED = {"accept": True, "quirk": True, "reference": True, "reject": False, "fragment": False}


ROWS = rows(KINDS)


def _decode(row: dict[str, Any]) -> tuple[list[Document], list[Rejected]]:
    raw = row["path"].read_bytes()
    raws, rejected = [raw], []
    try:
        if row["kind"].startswith("datagrams"):
            raws = [split_datagram(raw)]
        elif row["kind"] == "traces":
            found = read_traces(raw)
            raws, rejected = found.raws, found.rejected
    except Rejected as reason:
        return [], [reason]
    results = [result for raw in raws for result in decode_documents(raw, 1)]
    documents = [result for result in results if isinstance(result, Document)]
    return documents, rejected + [result for result in results if isinstance(result, Rejected)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_vector(row: dict[str, Any]) -> None:
    """Accepted, rejected, or accepted without the property that breaks the schema."""
    documents, rejected = _decode(row)
    if row["validity"] == "oracle" or ACCEPTED[row["validity"]]:
        assert documents
        assert rejected == []
    else:
        assert documents == []
        assert rejected


def test_every_kind_and_validity_has_a_sample() -> None:
    totals = Counter(
        (row["kind"], row["validity"]) for row in ROWS if row["path"].is_relative_to(SAMPLES)
    )
    assert totals.keys() >= {
        ("segments", "accept"),
        ("segments", "fragment"),
        ("segments", "reject"),
        ("datagrams", "accept"),
        ("datagrams", "quirk"),
        ("datagrams", "reject"),
        ("malformed", "reject"),
        ("traces", "oracle"),
    }


ENTRIES = {
    "traces/bookshop.json": ("bookshop", "next-order-id", "orders"),
    "traces/devguide_scorekeep_trace.json": ("Scorekeep", "random-name", "scorekeep-user"),
}
"""Traces of one shape, X-Ray's documented example: entry, function and table."""


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["file"] in ENTRIES], ids=lambda row: row["file"]
)
def test_graph_of_the_documented_example(row: dict[str, Any]) -> None:
    """The documented trace gives the documented map (docs/xray-format.md §16)."""
    entry, function, table = ENTRIES[row["file"]]
    documents, _ = _decode(row)
    store = MemoryStore()
    store.put(documents, "trace")
    graph = build_service_graph(store.get_traces([documents[0].trace_id]).values())
    nodes = {key._replace(account="", region="") for key in graph.services}
    assert NodeKey("", entry, "client") in nodes
    assert NodeKey("", entry, "AWS::ElasticBeanstalk::Environment") in nodes
    assert NodeKey("", function, "AWS::Lambda") in nodes
    assert NodeKey("", function, "AWS::Lambda::Function") in nodes
    assert NodeKey("", table, "AWS::DynamoDB::Table") in nodes
    assert any(node.type == "AWS::SNS" for node in nodes)
    assert len(nodes) == 6
