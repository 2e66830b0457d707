"""What functions in three languages sent under AWS's emulator gives the map that the plan says.

Recorded by `python -m examples.lambda_functions --rie … --record tests/samples/lambda_functions`, so that CI
needs neither the emulator nor the languages.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from collector.decode.document import decode_document
from collector.decode.lambda_records.upload import decode_upload
from examples.lambda_functions import plan
from examples.lambda_functions.programs import RUNS, Run
from examples.two_sdks.diff import differences
from examples.two_sdks.live.record import file_name
from store.invocation_evidence import evidence_in, invocations_in
from store.memory import MemoryStore
from store.model import Document, TimeRange, Trace, derived_version
from store.query import TraceQuery
from store.rules.annotations import parse_annotation_item
from store.rules.invocation_documents import documents_of
from store.rules.invocations import NOTHING, Evidence, Invocation, rank_of
from store.times import MINUTE
from tests.examples.test_two_sdks_live import graph_in
from tests.otlp_json import decode_otlp_json
from tests.vectors import SAMPLES

ALWAYS = TimeRange(0, 2**61)


class Replay:
    """A store with a recording, line by line, and then joined as `raymap.invocation_joiner` does."""

    def __init__(self, file: Path) -> None:
        self.store = MemoryStore()
        self.reports: Counter[bytes] = Counter()
        """REPORT lines of each trace."""
        self._number = itertools.count(1)
        for line in file.read_text().splitlines():
            self._arrive(line.encode(), json.loads(line))
        for trace in self._traces():
            for found in invocations_in(trace):
                evidence = evidence_in(trace, found, now=found.invocation.end + 5 * MINUTE)
                self._derive(found.invocation, evidence)

    def _arrive(self, line: bytes, content: dict[str, object]) -> None:
        if "resourceSpans" in content:
            for document in decode_otlp_json(line, next(self._number)):
                assert isinstance(document, Document), document
                self._put(document)
        elif "events" in content:
            upload = decode_upload(line)
            assert upload.rejected == []
            for raw in upload.documents:
                self._put(decode_document(raw, next(self._number)))
            for invocation in upload.folded.invocations:
                self._derive(invocation, NOTHING)
            lines = upload.logs.lines
            self.reports.update(line.trace_id for line in lines if line.record == "report")
        else:
            self._put(decode_document(line, next(self._number)))

    def _derive(self, invocation: Invocation, evidence: Evidence) -> None:
        version = derived_version(next(self._number), rank_of(invocation, evidence))
        for each in documents_of(invocation, evidence):
            self._put(decode_document(msgspec.json.encode(each), version))

    def _put(self, document: Document) -> None:
        self.store.put([document], f"{next(self._number)}")

    def _traces(self) -> list[Trace]:
        """In the order of their invocations."""
        hits = self.store.find_traces(TraceQuery(ALWAYS), limit=99).found
        traces = self.store.get_traces([hit.trace_id for hit in hits], raw=True).values()
        return sorted(traces, key=lambda t: min(d.start for d in t.documents.values()))

    @property
    def result(self) -> plan.Result:
        cold = [
            any(
                parse_annotation_item(item) == ("lambda_cold_start", True)
                for document in trace.documents.values()
                for item in document.annotations
            )
            for trace in self._traces()
        ]
        reports = [self.reports[trace.trace_id] for trace in self._traces()]
        return plan.Result(graph_in(self.store), cold, reports)


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_the_map_is_the_same(run: Run) -> None:
    result = Replay(SAMPLES / "lambda_functions" / file_name(str(run))).result
    expected = plan.expected()
    assert differences(expected.graph, result.graph, ("the plan", str(run))) == []
    assert (result.cold, result.reports) == (expected.cold, expected.reports)
    assert plan.compared(run, result) == []
