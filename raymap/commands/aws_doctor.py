"""`raymap aws doctor`: what of an AWS account arrives at a running server, from when to when, by source and function.

It reads what programs may read, with a key of role viewer: the services of a window, and of each function its metrics
and its last log lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from raymap.commands.aws_sources import Source
from raymap.commands.checks import Check
from raymap.commands.server import get_json
from raymap.commands.tables import print_table
from raymap.units import counted

Json = dict[str, Any]

FUNCTION = "AWS::Lambda::Function"
RELAYED = "aws/spans"
"""The metadata of a document that is made of a record of that log group (docs/aws-spans.md)."""
MOST_TRACES = 10
"""Of the newest, and of services of AWS, one of each, the busiest first."""
STREAMED = ("Throttles", "ConcurrentExecutions", "IteratorAge", "DeadLetterErrors")
RECORDED = ("BilledDuration", "MaxMemoryUsed", "InitDuration")
"""Labels of metrics that have one origin: CloudWatch's stream, and Lambda's REPORT lines."""
MOST_FUNCTIONS = 50
PAGE, PAGES = 1_000, 10
LINES = 1_000
STACK = "the stack of docs/aws.md"
UNSEEN = "invoke a function that is traced and wait two minutes; if nothing comes: docs/aws.md, See what arrives"


NAMES = {
    Source.SPANS: "spans of AWS's services",
    Source.RECORDS: "records of invocations",
    Source.LINES: "log lines of functions",
    Source.METRICS: "metric stream",
}
MENDS = {
    Source.SPANS: f"{STACK} with Spans=switch-on (already-on if Transaction Search is), and tracing of the stages",
    Source.RECORDS: f"{STACK} with Logs=all-groups, and without a LogFilter that leaves REPORT out",
    Source.LINES: f"{STACK} with Logs=all-groups and LogFilter empty",
    Source.METRICS: f"{STACK} with Metrics=map",
}
"""What to deploy where a source never arrived."""


class Times(NamedTuple):
    """When something arrived first and last in the window: epoch seconds."""

    first: float
    last: float


class Function(NamedTuple):
    """A function, what arrived of it, and the log groups that it came from."""

    name: str
    account: str
    region: str
    arrived: Mapping[Source, Times]
    log_groups: tuple[str, ...] = ()


class Relayed(NamedTuple):
    """How many traces were looked at, in how many of them a record of ``aws/spans`` is, and when the last of those
    began."""

    traces: int
    found: int = 0
    last: float = 0.0


class Report(NamedTuple):
    """What the server has; ``step``: seconds to which times of metrics are rounded down; ``left_out``: functions that
    were not looked at."""

    functions: list[Function]
    step: int
    relayed: Relayed
    left_out: int


def doctor(
    url: str, window: Mapping[str, str], without: Iterable[Source], *, as_json: bool
) -> bool:
    """Print what arrives; whether every source does, of those that are expected."""
    expected = {*Source} - {*without}
    report = read(url, window, spans=Source.SPANS in expected)
    checks = list(checks_of(report, expected))
    if as_json:
        functions = [each._asdict() | {"arrived": _json(each)} for each in report.functions]
        checked = [check._asdict() for check in checks]
        found = {"checks": checked, "step": report.step, "functions": functions}
        print(json.dumps(found, indent=1))
    else:
        _print(report, checks)
    return all(check.status != "fail" for check in checks)


def read(url: str, window: Mapping[str, str], *, spans: bool) -> Report:
    """What the server has of a window and, where they are named, an account and a region; ``spans``: with those that
    AWS relayed. Raises CommandError."""
    services = list(_services(url, window))
    functions = [each for each in services if each["type"] == FUNCTION]
    functions.sort(key=lambda each: -each["requests"])
    found = [_function(url, window, each) for each in functions[:MOST_FUNCTIONS]]
    looked_at, step = [each for each, _ in found], max((step for _, step in found), default=0)
    relayed = _relayed(url, window, services) if spans else Relayed(0)
    return Report(looked_at, step, relayed, len(functions) - len(looked_at))


def _relayed(url: str, window: Mapping[str, str], services: Sequence[Mapping[str, Any]]) -> Relayed:
    """Of the newest traces, and of services of AWS, one of each."""
    of_aws = [
        each for each in services if each["type"].startswith("AWS::") and each["state"] == "active"
    ]
    of_aws.sort(key=lambda each: -each["requests"])
    queries: list[Json] = [{"limit": MOST_TRACES}]
    queries += [{"node": each["id"], "limit": 1} for each in of_aws[:MOST_TRACES]]
    listed = {
        each["id"]: each["start"]
        for query in queries
        for each in get_json(url, "/api/v1/traces", {**window, **query})["traces"]
    }
    found = [
        start
        for id, start in listed.items()
        if _has_record(get_json(url, f"/api/v1/traces/{id}", {})["documents"])
    ]
    return Relayed(len(listed), len(found), max(found, default=0.0))


def _has_record(documents: Mapping[str, Any]) -> bool:
    """Whether a document, or a subsegment of one, is made of a record of ``aws/spans``."""
    left = list(documents.values())
    while left:
        document = left.pop()
        if RELAYED in (document.get("metadata") or {}):
            return True
        left += document.get("subsegments") or ()
    return False


def _services(url: str, window: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    cursor = None
    for _ in range(PAGES):
        query = {**window, "limit": PAGE} | ({"cursor": cursor} if cursor else {})
        page = get_json(url, "/api/v1/services", query)
        yield from page["services"]
        cursor = page["next"]
        if not cursor:
            return


def _function(
    url: str, window: Mapping[str, str], service: Mapping[str, Any]
) -> tuple[Function, int]:
    span = {key: window[key] for key in ("from", "to")}
    path = f"/api/v1/nodes/{quote(service['id'], safe='')}/metrics"
    answer = get_json(url, path, span)
    metrics = answer["MetricDataResults"]
    place = {key: service[key] for key in ("account", "region") if service[key]}
    query = {**span, **place, "function": service["name"], "limit": LINES}
    delivered = get_json(url, "/api/v1/logs", query)["lines"]
    written = [line["time"] for line in delivered if not line["record"]]
    found = {
        Source.RECORDS: _times(metrics, RECORDED, "platform records"),
        Source.METRICS: _times(metrics, STREAMED, "platform metrics"),
        Source.LINES: Times(min(written), max(written)) if written else None,
    }
    arrived = {source: times for source, times in found.items() if times}
    groups = sorted({line["log_group"] for line in delivered} - {""})
    place_of = (service["name"], service["account"], service["region"])
    return Function(*place_of, arrived, tuple(groups)), answer["period"]


def _times(
    metrics: Iterable[Mapping[str, Any]], labels: Sequence[str], source: str
) -> Times | None:
    steps = [
        at
        for series in metrics
        if series["Label"] in labels and series["Source"] == source
        for at in series["Timestamps"]
    ]
    return Times(min(steps), max(steps)) if steps else None


def checks_of(report: Report, expected: set[Source]) -> Iterator[Check]:
    """A line for each source that is expected."""
    if Source.SPANS in expected:
        yield _spans_check(report.relayed)
    if not report.functions:
        yield Check("functions", "fail", "no function is on the map", UNSEEN)
        return
    for source in (Source.RECORDS, Source.LINES, Source.METRICS):
        if source in expected:
            yield _function_check(source, report.functions)


def _spans_check(relayed: Relayed) -> Check:
    name, traces = NAMES[Source.SPANS], counted(relayed.traces, "trace")
    if relayed.found:
        detail = f"in {relayed.found:,} of {traces}, the last of {_moment(relayed.last)}"
        return Check(name, "ok", detail)
    return Check(name, "fail", f"never: in none of {traces}", MENDS[Source.SPANS])


def _function_check(source: Source, functions: Sequence[Function]) -> Check:
    name, times = (
        NAMES[source],
        [each.arrived[source] for each in functions if source in each.arrived],
    )
    if not times:
        return Check(name, "fail", "never", MENDS[source])
    first, last = min(each.first for each in times), max(each.last for each in times)
    detail = f"of {len(times):,} of {len(functions):,} functions, from {_moment(first)} to {_moment(last)}"
    missing = len(times) < len(functions)
    return Check(name, "warn" if missing else "ok", detail, MENDS[source] if missing else "")


def _print(report: Report, checks: Sequence[Check]) -> None:
    for check in checks:
        print(f"{check.status:<5} {check.name}: {check.detail}")
        if check.help:
            print(f"      try: {check.help}")
    if report.functions:
        print(f"\nlast arrival (UTC; of records and metrics in steps of {report.step // 60} min):")
        head = ("function", "account", "region", "log group", *Source)
        shown = [each for each in head if each is not Source.SPANS]
        print_table([shown, *map(_row, report.functions)])
    if report.left_out:
        print(f"and {report.left_out:,} functions with less traffic")


def _row(function: Function) -> list[str]:
    groups = ", ".join(function.log_groups) or "-"
    arrived = (function.arrived.get(each) for each in Source if each is not Source.SPANS)
    last = [_moment(each.last) if each else "never" for each in arrived]
    return [function.name, function.account or "-", function.region or "-", groups, *last]


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _json(function: Function) -> dict[str, Any]:
    return {source: times._asdict() for source, times in function.arrived.items()}
