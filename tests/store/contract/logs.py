"""Log lines."""

from __future__ import annotations

from typing import Any

from store.log_lines import ACCESS, EXECUTION, FailedRequest, LogLine, StreamSpan, Wanted, WrittenIn
from store.model import TimeRange
from store.protocol import Store
from store.times import MINUTE, SECOND
from tests.builders import T0, trace_id

WINDOW = TimeRange(T0, T0 + MINUTE)


def line(body: str = "hello", at: int = 0, **members: Any) -> LogLine:
    """A line of a function, ``at`` seconds after T0."""
    known = {"name": "checkout", "type": "AWS::Lambda::Function", "request_id": "r1"}
    return LogLine(T0 + at * SECOND, body, **(known | members))


class LogContract:
    """Every store passes every test."""

    def test_a_trace_has_the_lines_that_name_it_or_its_requests(self, store: Store) -> None:
        sent = trace_id(7)
        lines = [
            line("request", 1),
            line("trace", 2, request_id="", trace_id=sent, span_id=5, severity="warn"),
            line("stream", 3, request_id="", log_stream="s1"),
            line("other request", 4, request_id="r2"),
            line("other stream", 5, request_id="", log_stream="s2"),
            line("request in the stream", 6, request_id="r2", log_stream="s1"),
            line("late in the stream", 7, request_id="", log_stream="s1"),
            line("late", 61),
        ]
        store.put_log_lines(lines, "a")
        found = store.request_lines(
            Wanted(WINDOW, sent, ("r1",), (StreamSpan("s1", T0, T0 + 3 * SECOND),)), limit=9
        )
        assert found == (lines[:3], 0)

    def test_lines_of_no_trace_belong_to_none(self, store: Store) -> None:
        store.put_log_lines([line(request_id="", log_stream="")], "a")
        assert store.request_lines(Wanted(WINDOW), limit=9) == ([], 0)

    def test_a_line_counts_once_by_any_sources(self, store: Store) -> None:
        """Of two copies the one that says more."""
        more = line(source="firehose", log_stream="s1", account="1")
        store.put_log_lines([line(source="extension")], "a")
        store.put_log_lines([more], "b")
        store.put_log_lines([line(source="extension")], "c")
        assert store.node_lines(["checkout"], WINDOW, limit=9) == ([more], 0)

    def test_equal_lines_of_one_request_are_two(self, store: Store) -> None:
        """By the millisecond, or by their number in it."""
        lines = [line(), line(ordinal=1), line(at=1), line(at=1, request_id="r2")]
        store.put_log_lines(lines, "a")
        assert store.node_lines(["checkout"], WINDOW, limit=9).lines == lines

    def test_what_does_not_fit_is_counted(self, store: Store) -> None:
        lines = [line(str(number), number) for number in range(5)]
        store.put_log_lines(lines, "a")
        assert store.request_lines(Wanted(WINDOW, requests=("r1",)), limit=2) == (lines[:2], 3)
        assert store.node_lines(["checkout"], WINDOW, limit=2) == (lines[3:], 3)
        assert store.node_lines(["other"], WINDOW, limit=2) == ([], 0)

    def test_failures_of_handlers_and_the_traces_of_their_requests(self, store: Store) -> None:
        """The line on the failure and the line that names the trace may arrive in any order."""
        ours = trace_id(7)
        failed, report = (
            line("[ERROR] …", 1, failure="ValueError"),
            line("REPORT", 2, trace_id=ours),
        )
        other = line("REPORT", 3, request_id="r2", trace_id=trace_id(8))
        store.put_log_lines([report, other, line("own", 1)], "a")
        assert store.failed_requests(0) == set()
        store.put_log_lines([failed, line(failure="E", request_id="")], "b")
        assert store.failed_requests(0) == {FailedRequest(ours, "r1")}
        wanted = Wanted(WINDOW, requests=("r1", "r2"), failed=True)
        assert store.request_lines(wanted, limit=9) == ([failed], 0)

    def test_lines_of_one_kind_that_were_received(self, store: Store) -> None:
        """By time, one copy of each; what does not fit is counted."""
        lines = [line(str(number), number, record=ACCESS) for number in range(3)]
        store.put_log_lines([*lines, line("own", 1), line("start", 2, record="start")], "a")
        store.put_log_lines(lines, "b")
        assert store.recorded_lines(ACCESS, 0, limit=2) == (lines[:2], 1)
        assert store.recorded_lines(EXECUTION, 0, limit=2) == ([], 0)

    def test_the_traces_that_lines_of_requests_name(self, store: Store) -> None:
        ours, theirs = trace_id(7), trace_id(8)
        lines = [
            line("START", 1),
            line("REPORT", 2, trace_id=ours),
            line("REPORT", 3, request_id="r2", trace_id=theirs),
            line("own", 4, request_id="r3"),
            line("late", 61, request_id="r4", trace_id=theirs),
            line("no request", 5, request_id="", trace_id=theirs),
        ]
        store.put_log_lines(lines, "a")
        assert store.request_traces(["r1", "r3", "r4", ""], WINDOW) == {"r1": ours}
        assert store.request_traces([], WINDOW) == {}

    def test_lines_of_one_kind(self, store: Store) -> None:
        lines = [line("INIT_START", 1, record="init", request_id=""), line("own", 2)]
        store.put_log_lines(lines, "a")
        found = store.node_lines(["checkout"], WINDOW, limit=9, within=WrittenIn(record="init"))
        assert found == (lines[:1], 0)
        failed = line("[ERROR] …", 3, failure="ValueError")
        store.put_log_lines([failed], "b")
        within = WrittenIn(failed=True)
        assert store.node_lines(["checkout"], WINDOW, limit=9, within=within) == ([failed], 0)
        within = WrittenIn(failed=True, traces=[trace_id(7)])
        assert store.node_lines(["checkout"], WINDOW, limit=9, within=within) == ([], 0)
        store.put_log_lines([line("REPORT", 4, trace_id=trace_id(7))], "c")
        assert store.node_lines(["checkout"], WINDOW, limit=9, within=within) == ([failed], 0)

    def test_lines_of_one_place_and_of_some_traces(self, store: Store) -> None:
        """A request's lines are a trace's if one of them names it; a line's account may be in one copy only."""
        ours, theirs = trace_id(7), trace_id(8)
        lines = [
            line("own", 1, request_id="r1", account="1", region="eu-west-1"),
            line("report", 2, request_id="r1", account="1", region="us-east-1", trace_id=ours),
            line("other", 3, request_id="r2", account="2", trace_id=theirs),
            line("none", 4, request_id="", account="2"),
        ]
        store.put_log_lines(lines, "a")
        store.put_log_lines([line("own", 1, request_id="r1")], "b")

        def bodies(**within: Any) -> list[str]:
            found = store.node_lines(["checkout"], WINDOW, limit=9, within=WrittenIn(**within))
            assert found.left_out == 0
            return [each.body for each in found.lines]

        assert bodies() == ["own", "report", "other", "none"]
        assert bodies(account="1") == ["own", "report"]
        assert bodies(account="1", region="eu-west-1") == ["own"]
        assert bodies(account="2") == ["other", "none"]
        assert bodies(traces=[ours]) == ["own", "report"]
        assert bodies(traces=[theirs], account="2") == ["other"]
        assert bodies(traces=[]) == []

    def test_any_text_survives(self, store: Store) -> None:
        body = "tab\t quote' \\ nul\0 \U0001f600"
        store.put_log_lines([line(body, log_group="g'", span_id=(1 << 64) - 1)], "a")
        assert store.node_lines(["checkout"], WINDOW, limit=1).lines == [
            line(body, log_group="g'", span_id=(1 << 64) - 1)
        ]
