"""`raymap import --from-xray` from one running server into another: the copy equals its source."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server, start_server, stop_server
from tests.raymap.commands.test_import_settings import RULE
from tests.raymap.commands.xray_source import (
    HOURS,
    TRACES,
    Json,
    all_documents,
    set_aws_environment,
)
from tests.raymap.processes import raymap
from tests.waiting import eventually
from tests.xray_client import xray_client


def copied_from(client: Any, now: float) -> tuple[Json, dict[Any, Any]]:
    """The documents by trace, and the graph without what numbers its nodes."""
    window = {"StartTime": now - HOURS * 3600 - 60, "EndTime": now}
    pages = client.get_paginator("get_trace_summaries").paginate(**window)
    ids = [summary["Id"] for page in pages for summary in page["TraceSummaries"]]
    found: Json = {}
    for at in range(0, len(ids), 5):
        for trace in client.batch_get_traces(TraceIds=ids[at : at + 5])["Traces"]:
            segments = [json.loads(segment["Document"]) for segment in trace["Segments"]]
            found[trace["Id"]] = sorted(segments, key=lambda each: str(each["id"]))
    services = client.get_service_graph(**window)["Services"]
    names = {each["ReferenceId"]: (each["Name"], each.get("Type")) for each in services}
    graph: dict[Any, Any] = {}
    for each in services:
        edges = {names[edge.pop("ReferenceId")]: edge for edge in each.pop("Edges")}
        graph[names[each.pop("ReferenceId")]] = {**each, "Edges": edges}
    return found, graph


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    server = start_server(folder)
    try:
        yield server
    finally:
        stop_server(server)


@pytest.mark.server
@pytest.mark.slow
def test_a_copy_equals_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From one server into another: equal documents, an equal graph; again: nothing is sent."""
    set_aws_environment(monkeypatch, tmp_path)
    with running(tmp_path / "source") as source, running(tmp_path / "target") as target:
        now = time.time()
        sent = all_documents(now)
        for at in range(0, len(sent), 50):
            source.send(*sent[at : at + 50])
        reader = xray_client(source.http)
        reader.create_sampling_rule(SamplingRule=RULE)
        reader.create_group(GroupName="slow", FilterExpression="responsetime > 5")

        arguments = ["import", "--from-xray", "--from", f"-{HOURS}h", "--region", "eu-west-1"]
        arguments += ["--endpoint-url", source.http, "--url", target.http, "--rate", "200"]
        done = raymap(*arguments)
        assert done.returncode == 0, done.stderr
        # Of each trace: web, orders and the two that it contains; db, DynamoDB and SQS are inferred.
        assert f"{TRACES} traces: {2 * TRACES} segments stored" in done.stderr
        assert f"{3 * TRACES} inferred ones left to be computed, 0 refused" in done.stderr
        assert "sampling rules: 1 created, 1 as they were" in done.stderr
        assert "groups: 1 created, 1 as they were" in done.stderr

        writer = xray_client(target.http)
        wanted = copied_from(reader, now)
        assert len(wanted[0]) == TRACES
        assert len(wanted[1]) == 6
        eventually(lambda: copied_from(writer, now) == wanted, "the copy equals its source")
        rules = writer.get_sampling_rules()["SamplingRuleRecords"]
        assert [each["SamplingRule"]["RuleName"] for each in rules] == ["checkout", "Default"]

        again = raymap(*arguments)
        assert again.returncode == 0, again.stderr
        assert "sampling rules: 2 as they were" in again.stderr
        # The last ten minutes may have grown; of the rest only what began since the first run.
        recent = sum(1 for each in wanted[0].values() if each[0]["start_time"] > now - 900)
        assert int(again.stderr.split(" traces: ")[0].split()[-1]) <= recent
