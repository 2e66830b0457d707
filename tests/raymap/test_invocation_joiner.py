"""Rounds of the joiner over a store and a pipeline."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from collector.derived import submit_invocations
from collector.group_commit import JournalFull
from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from raymap.invocation_joiner import EVERY, QUIET, InvocationJoiner
from store.clickhouse.store import ClickHouseStore
from store.errors import StoreUnavailable
from store.log_lines import LogLine
from store.memory import MemoryStore
from store.metrics import QUERIES, QueryTime
from store.model import Document, Independent, State, TimeRange, Trace, relayed_version
from store.rules.event_sources import Messages
from store.rules.invocations import FUNCTION, NOTHING, Invocation
from store.times import MINUTE, SECOND
from tests.builders import T0, segment, trace_id
from tests.collector.conftest import SOON, StoringPipeline
from tests.lambda_samples import (
    ACCOUNT,
    END,
    FUNCTION_ID,
    REGION,
    REQUEST,
    SERVICE_ID,
    TRACE_ID,
    invocation,
    telemetry,
)
from tests.store.test_invocation_evidence import (
    FROM_OUTSIDE,
    FROM_WEB,
    REPORTED,
    document,
    query,
    web,
)

ALWAYS = TimeRange(0, 1 << 62)


class Clock:
    """The joiner's time; versions of arrival are real, so the searched window is of real time."""

    def __init__(self) -> None:
        self.at = END + SECOND

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipeline(memory: MemoryStore, tmp_path: Path) -> Iterator[IngestPipeline]:
    metrics = IngestMetrics(CollectorRegistry())
    pipeline = StoringPipeline(memory, tmp_path, metrics=metrics, limits=SOON)
    pipeline.start()
    yield pipeline
    pipeline.stop(5.0)


class Setting:
    """A store, and a joiner whose clock stands a second after the end of the invocation."""

    def __init__(self, memory: MemoryStore, pipeline: IngestPipeline, clock: Clock) -> None:
        self.memory, self._pipeline, self.clock = memory, pipeline, clock
        self.joiner = InvocationJoiner(memory, pipeline, clock)

    def report(self, record: Invocation) -> None:
        for ack in submit_invocations(self._pipeline, [(record, NOTHING)], "test"):
            ack.result(60)
        self.arrive()

    def arrive(self) -> None:
        """Something of the trace arrives, a moment later."""
        self.clock.at += 1
        self.memory._traces[TRACE_ID].updated = self.clock.at

    @property
    def edges(self) -> set[tuple[str, str]]:
        edges = self.memory.service_graph(ALWAYS).edges
        return {(source.type or source.name, target.type) for source, target in edges}


@pytest.fixture
def setting(memory: MemoryStore, pipeline: IngestPipeline, clock: Clock) -> Setting:
    return Setting(memory, pipeline, clock)


def test_a_caller_that_arrives_later_is_joined_and_then_left_alone(setting: Setting) -> None:
    setting.memory.put([query()], "query")
    setting.report(telemetry())
    setting.arrive()
    setting.joiner.join()
    assert setting.edges == FROM_OUTSIDE
    setting.memory.put([web(request_id=REQUEST)], "web")
    setting.arrive()
    assert setting.joiner.join() == 1
    assert setting.edges == FROM_WEB
    setting.arrive()
    assert setting.joiner.join() == 0


@pytest.mark.parametrize(
    "arrivals", [[REPORTED], [REPORTED[:1], REPORTED[1:]], [REPORTED[1:], REPORTED[:1]]]
)
@pytest.mark.parametrize("segment_id", [FUNCTION_ID, SERVICE_ID, 0])
def test_aws_own_segments_that_come_after_the_caller_was_joined_count_once(
    setting: Setting, segment_id: int, arrivals: list[tuple[Document, ...]]
) -> None:
    """A REPORT line names one of the two at most; the ids of the other are made, and AWS's are others."""
    setting.memory.put([web(request_id=REQUEST)], "web")
    setting.report(invocation(segment_id=segment_id))
    for _ in range(2):
        setting.joiner.join()
        setting.clock.at += 2 * MINUTE
        setting.arrive()
    for number, own in enumerate(arrivals):
        setting.memory.put(own, f"own {number}")
        setting.arrive()
        setting.joiner.join()
        setting.clock.at += MINUTE
        setting.arrive()
    assert setting.edges == {("client", ""), ("web", "AWS::Lambda"), ("AWS::Lambda", FUNCTION)}
    nodes = setting.memory.service_graph(ALWAYS).services.values()
    assert {
        each.key.type: each.statistics.total for each in nodes if "Lambda" in each.key.type
    } == {
        "AWS::Lambda": 1,
        FUNCTION: 1,
    }
    setting.arrive()
    assert setting.joiner.join() == 0


def test_a_record_that_names_the_other_half_is_turned_round(setting: Setting) -> None:
    setting.memory.put([query(), web(request_id=REQUEST)], "rest")
    setting.report(invocation(segment_id=SERVICE_ID))
    assert setting.edges != FROM_WEB
    setting.arrive()
    setting.joiner.join()
    assert setting.edges == FROM_WEB


def test_a_function_without_a_caller_is_looked_at_until_it_is_settled(setting: Setting) -> None:
    setting.report(telemetry())
    setting.arrive()
    setting.joiner.join()
    setting.arrive()
    assert setting.joiner.join() == 0
    setting.clock.at = END + 2 * MINUTE
    setting.arrive()
    assert setting.joiner.join() == 1
    setting.arrive()
    assert setting.joiner.join() == 0


def test_an_unchanged_trace_is_not_read_again(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting.report(telemetry())
    setting.joiner.join()
    setting.arrive()
    setting.joiner.join()
    monkeypatch.setattr(setting.memory, "get_traces", None)
    assert setting.joiner.join() == 0


def test_a_function_without_a_record_has_a_segment_in_its_place_until_one_comes(
    setting: Setting,
) -> None:
    setting.memory.put([query(), web(request_id=REQUEST)], "rest")
    setting.arrive()
    setting.clock.at += 3 * MINUTE
    assert setting.joiner.join() == 1
    assert ("web", "AWS::Lambda::Function") in setting.edges
    for _ in range(2 * EVERY):
        setting.arrive()
        setting.clock.at += 2 * MINUTE
        assert setting.joiner.join() == 0
    setting.report(telemetry())
    setting.joiner.join()
    assert setting.edges == FROM_WEB


def test_spans_are_not_read_to_find_functions_without_a_record(
    clickhouse_store: ClickHouseStore, pipeline: IngestPipeline
) -> None:
    """Of spans every trace may be partial: a round would read all that came lately."""
    named: dict[str, Any] = {"independent": Independent.OF_PROCESS, "parent_id": 1}
    own = [segment(1, trace_id=trace_id(n)) for n in range(20)]
    inner = [segment(2, trace_id=trace_id(n), **named) for n in range(20)]
    clickhouse_store.put([*own, *inner], "spans")
    taken: list[QueryTime] = []
    token = QUERIES.set(taken)
    try:
        InvocationJoiner(clickhouse_store, pipeline, lambda: T0 + 2 * MINUTE).join()
    finally:
        QUERIES.reset(token)
    names = Counter(query.name for query in taken)
    assert names["search/newest_rows"]
    assert not names["search/lean_segments"], names


def test_subsegments_that_come_long_after_the_caller_are_joined(setting: Setting) -> None:
    """They name another parent than the record, which nothing contradicted until then."""
    setting.memory.put([web(request_id=REQUEST)], "web")
    setting.report(invocation(segment_id=SERVICE_ID))
    setting.joiner.join()
    setting.arrive()
    setting.clock.at += 2 * MINUTE
    setting.joiner.join()
    setting.memory.put([query()], "late")
    for _ in range(2 * EVERY):
        setting.arrive()
        setting.clock.at += 2 * MINUTE
        setting.joiner.join()
    assert setting.edges == FROM_WEB


def runtime_line(**members: Any) -> LogLine:
    """The line of Python's runtime, as it is stored."""
    body = "[ERROR] ValueError: no amount\rTraceback (most recent call last):"
    known = {"name": "checkout", "type": FUNCTION, "request_id": REQUEST, "failure": "ValueError"}
    return LogLine(END - SECOND // 100, body, **(known | members))


def report_line() -> LogLine:
    """The line of a REPORT, which names the trace."""
    known = {"name": "checkout", "type": FUNCTION, "request_id": REQUEST, "record": "report"}
    return LogLine(END, "REPORT", trace_id=TRACE_ID, **known)  # type: ignore[arg-type]


def failures(setting: Setting) -> set[tuple[str, State, str]]:
    found = setting.memory.get_traces([TRACE_ID])[TRACE_ID].documents.values()
    return {(d.node.type, d.state, d.exception) for d in found if d.node.type.startswith("AWS::L")}


RAISED = {
    (FUNCTION, State.FAULT, "ValueError"),
    ("AWS::Lambda", State.FAULT, "ValueError"),
}


@pytest.mark.parametrize("order", list(itertools.permutations(["line", "report", "record"])))
def test_a_line_and_its_record_in_two_deliveries(setting: Setting, order: tuple[str, ...]) -> None:
    """In any order, with the joiner at work in between, and both delivered again."""
    setting.memory.put([query(), web(request_id=REQUEST)], "rest")
    for number, what in enumerate([*order, *order]):
        if what == "line":
            setting.memory.put_log_lines([runtime_line()], f"line {number}")
        elif what == "report":
            setting.memory.put_log_lines([report_line()], f"report {number}")
        else:
            setting.report(telemetry())
        setting.joiner.join()
    setting.joiner.join()
    assert failures(setting) == RAISED
    assert setting.edges == FROM_WEB


def test_a_line_that_arrives_long_after_the_record(setting: Setting) -> None:
    setting.memory.put([query(), web(request_id=REQUEST)], "rest")
    setting.memory.put_log_lines([report_line()], "report")
    setting.report(telemetry())
    setting.clock.at += 30 * MINUTE
    setting.joiner.join()
    assert {state for _, state, _ in failures(setting)} == {State.OK}
    setting.memory.put_log_lines([runtime_line()], "line")
    assert setting.joiner.join() == 1
    assert failures(setting) == RAISED
    assert setting.joiner.join() == 0


def test_the_line_of_another_attempt_is_none_of_this_one(setting: Setting) -> None:
    """Lambda retries under the same request id."""
    setting.memory.put_log_lines([report_line()], "report")
    earlier = msgspec.structs.replace(runtime_line(), time=END - 2 * MINUTE)
    setting.memory.put_log_lines([earlier], "line")
    setting.report(telemetry())
    setting.joiner.join()
    assert {state for _, state, _ in failures(setting)} == {State.OK}


class Stopping(threading.Event):
    """Set after some rounds; remembers the pauses before each."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.pauses: list[float | None] = []
        self._rounds = rounds

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        return len(self.pauses) > self._rounds


def test_rounds_are_rare_while_there_is_no_function(setting: Setting) -> None:
    idle = Stopping(5)
    setting.joiner.run(idle)
    assert idle.pauses == [5, 10, 15, 15, 15, 15]
    setting.report(telemetry())
    busy = Stopping(2)
    setting.joiner.run(busy)
    assert busy.pauses == [5, 5, 5]


def test_a_round_that_fails_is_followed_by_the_next(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (StoreUnavailable("gone"), ValueError("odd")):
        monkeypatch.setattr(setting.joiner, "join", raising(error))
        stopping = Stopping(2)
        setting.joiner.run(stopping)
        assert len(stopping.pauses) == 3


def test_what_a_round_that_failed_noted_is_looked_at_again(
    setting: Setting, pipeline: IngestPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its traces have not changed since, its window is long over, and nothing else has come."""
    setting.memory.put([query()], "query")
    setting.report(telemetry())
    setting.joiner.join()
    setting.memory.put([web(request_id=REQUEST)], "web")
    setting.arrive()
    with monkeypatch.context() as full:
        full.setattr(pipeline, "submit", raising(JournalFull("full")))
        setting.joiner.run(Stopping(1))
    assert setting.edges != FROM_WEB
    setting.clock.at += 30 * MINUTE
    setting.joiner.run(Stopping(1))
    assert setting.edges == FROM_WEB


def raising(error: Exception) -> Callable[..., int]:
    def fail(*_: object) -> int:
        raise error

    return fail


@pytest.mark.parametrize("relayed", [True, False])
@pytest.mark.parametrize("aws_first", [True, False])
def test_aws_own_segment_gets_the_source_of_its_event(
    setting: Setting, memory: MemoryStore, *, relayed: bool, aws_first: bool
) -> None:
    """Also when it replaces the derived one long after that was joined; and again when AWS's record is delivered again."""
    stream = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/clicks"
    caused = telemetry(event_source=stream, messages=(Messages(3),))
    own = document(id=SERVICE_ID, name="checkout", origin="AWS::Lambda", aws={"request_id": REQUEST},
                   resource_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checkout")  # fmt: skip

    def arrive(number: int) -> None:
        at = own.version + number
        memory.put([replace(own, version=relayed_version(at) if relayed else at)], f"own {number}")
        setting.arrive()

    if aws_first:
        arrive(1)
    setting.report(caused)
    setting.joiner.join()
    for number in (2, 3):
        setting.clock.at += MINUTE
        arrive(number)
        setting.joiner.join()
        graph = memory.service_graph(ALWAYS)
        assert {source.type: each.statistics.ok for (source, _), each in graph.links.items()} == {
            "AWS::Kinesis::Stream": 3
        }
        assert not any(source.is_client for source, _ in graph.edges)
        setting.arrive()
        assert setting.joiner.join() == 0


def test_rounds_end_while_nothing_is_stored_and_begin_again(setting: Setting) -> None:
    joiner, clock = setting.joiner, setting.clock
    assert joiner.is_idle()  # an empty store
    setting.memory.put([web(request_id=REQUEST)], "web")
    setting.report(telemetry())
    clock.at += 2 * MINUTE
    assert not joiner.is_idle()
    joiner.join()
    clock.at += 2 * QUIET
    assert not joiner.is_idle()  # the last round found a function
    for _ in range(EVERY):
        joiner.join()
    assert not joiner.is_idle()  # it stored what it joined
    clock.at += 2 * QUIET
    assert joiner.is_idle()
    setting.memory.put([query()], "another copy")
    assert not joiner.is_idle()


def test_a_quiet_store_is_not_idle_before_functions_without_a_record_were_looked_for(
    setting: Setting,
) -> None:
    setting.memory.put([segment(9, trace_id=trace_id(9))], "other")
    assert not setting.joiner.is_idle()
    setting.clock.at += QUIET
    assert not setting.joiner.is_idle()
    setting.clock.at += 1
    assert setting.joiner.is_idle()


def test_no_links_are_read(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is derived depends on them, and they take as many statements again."""
    read: list[bool] = []
    get_traces = MemoryStore.get_traces

    def noted(
        self: MemoryStore, trace_ids: Sequence[bytes], *, raw: bool = False, links: bool = True
    ) -> dict[bytes, Trace]:
        read.append(links)
        return get_traces(self, trace_ids, raw=raw, links=links)

    monkeypatch.setattr(MemoryStore, "get_traces", noted)
    setting.memory.put([web(request_id=REQUEST)], "web")
    setting.report(telemetry())
    assert setting.joiner.join() == 1
    assert read
    assert not any(read)
