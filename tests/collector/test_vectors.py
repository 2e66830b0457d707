"""Every test vector of the ingest kinds is taken or turned away as its manifest says.

The vectors are not part of this repository (mixed licences): XRAY_VECTORS names their folder.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from collector.decode.daemon import split_datagram
from collector.decode.document import decode_documents
from collector.decode.rejected import Rejected
from collector.decode.trace_document import read_traces
from store.memory import MemoryStore
from store.model import Document, NodeKey
from store.service_graph import build_service_graph

KINDS = ("segments", "datagrams", "malformed", "traces")
TAKEN = {"accept": True, "quirk": True, "reference": True, "reject": False, "fragment": False}


def _folder() -> Path | None:
    named = os.environ.get("XRAY_VECTORS")
    if named:
        return Path(named)
    if os.environ.get("CI"):
        pytest.fail("XRAY_VECTORS is unset: CI has to run the test vectors", pytrace=False)
    return None


def _rows() -> list[dict[str, Any]]:
    folder = _folder()
    if folder is None:
        return []
    rows = json.loads((folder / "manifest.json").read_text())
    return [row for row in rows if row["kind"].partition("/")[0] in KINDS]


ROWS = _rows()
needs_vectors = pytest.mark.skipif(
    not ROWS, reason="XRAY_VECTORS is unset: the test vectors are NOT checked"
)


def _decode(row: dict[str, Any]) -> tuple[list[Document], list[Rejected]]:
    folder = _folder()
    assert folder is not None
    raw = (folder / row["file"]).read_bytes()
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


@needs_vectors
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_vector(row: dict[str, Any]) -> None:
    """Accepted, rejected, or accepted without the property that breaks the schema."""
    documents, rejected = _decode(row)
    if row["validity"] == "oracle" or TAKEN[row["validity"]]:
        assert documents
        assert rejected == []
    else:
        assert documents == []
        assert rejected


@needs_vectors
def test_totals(capsys: pytest.CaptureFixture[str]) -> None:
    """How many of each kind there were, for the log."""
    totals = Counter((row["kind"].partition("/")[0], row["validity"]) for row in ROWS)
    with capsys.disabled():
        for (kind, validity), count in sorted(totals.items()):
            print(f"\nvectors: {kind:10} {validity:10} {count:4}", end="")
    assert sum(totals.values()) == len(ROWS)


@needs_vectors
def test_scorekeep_graph() -> None:
    """The documented trace gives the documented map (docs/xray-format.md §16)."""
    (row,) = [row for row in ROWS if row["file"] == "traces/devguide_scorekeep_trace.json"]
    documents, _ = _decode(row)
    store = MemoryStore()
    store.put(documents, "scorekeep")
    graph = build_service_graph(store.get_traces([documents[0].trace_id]).values())
    nodes = {key._replace(account="") for key in graph.services}
    assert NodeKey("", "Scorekeep", "client") in nodes
    assert NodeKey("", "Scorekeep", "AWS::ElasticBeanstalk::Environment") in nodes
    assert NodeKey("", "random-name", "AWS::Lambda") in nodes
    assert NodeKey("", "random-name", "AWS::Lambda::Function") in nodes
    assert NodeKey("", "scorekeep-user", "AWS::DynamoDB::Table") in nodes
    assert any(node.type == "AWS::SNS" for node in nodes)
    assert len(nodes) == 6
