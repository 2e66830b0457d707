"""`raymap logs`: prints the log lines of a trace, or the last ones of a function, of a running server."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from raymap.commands.server import TOKEN, Refused, get_json
from raymap.errors import CommandError, print_status
from store.query import MOST_SELECTED_TRACES
from store.times import parse_duration

MOST = 10_000
"""Lines of one answer."""
POLL = 2.0
"""Seconds between two requests of --tail."""
LATE = 600
"""Seconds in which --tail still prints a line that arrives late: Firehose buffers for minutes."""

Line = dict[str, Any]


class Wanted(NamedTuple):
    """The lines of a function on a server; ``scope``: account, region and environment, as far as they are given."""

    to: str
    function: str
    scope: Mapping[str, str] = {}


def trace_logs(to: str, trace_id: str, *, as_json: bool) -> None:
    """Print the lines of a trace. CommandError when there is neither it nor a line of it."""
    answer = _get(to, f"/api/v1/traces/{quote(trace_id, safe='')}/logs", {"limit": MOST})
    _print(answer["lines"], as_json=as_json)
    if not answer["lines"]:
        print_status("no log line of this trace has arrived: docs/logs.md says how to send them")
    _say_left_out(answer["left_out"], "later")


def function_logs(wanted: Wanted, since: str, *, as_json: bool) -> None:
    """Print the last lines of a function."""
    lines, left_out = _last_lines(wanted, seconds_of(since))
    _say_left_out(left_out, "earlier")
    _print(lines, as_json=as_json)
    if not lines:
        print_status(f"no log line of {wanted.function} in the last {since}")


def tail(wanted: Wanted, since: str, *, as_json: bool) -> None:
    """The same, and then those that arrive, until interrupted."""
    read = _reader(wanted, time.time() - seconds_of(since))
    try:
        for lines in new_lines(read):
            _print(lines, as_json=as_json)
            time.sleep(POLL)
    except KeyboardInterrupt:
        return


def _reader(wanted: Wanted, began: float) -> Callable[[], list[Line]]:
    span = time.time() - began

    def read() -> list[Line]:
        nonlocal span
        lines, left_out = _last_lines(wanted, span)
        _say_left_out(left_out, "earlier")
        span = min(LATE, time.time() - began + POLL)
        return lines

    return read


def new_lines(read: Callable[[], list[Line]]) -> Iterator[list[Line]]:
    """What each reading has that the one before had not."""
    seen: set[str] = set()
    while True:
        lines = read()
        yield [line for line in lines if line["id"] not in seen]
        seen = (seen if len(seen) < 10 * MOST else set()) | {line["id"] for line in lines}


def seconds_of(text: str) -> int:
    """Seconds of ``15m``. CommandError for anything else."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"--since: {error}.") from None


def _last_lines(wanted: Wanted, span: float) -> tuple[list[Line], int]:
    start = time.time() - span
    query = {"function": wanted.function, "from": f"{start:.3f}", "to": "now", "limit": MOST}
    answer = _get(wanted.to, "/api/v1/logs", {**query, **wanted.scope})
    if answer["traces_left_out"]:
        newest = f"the newest {MOST_SELECTED_TRACES:,} traces"
        print_status(f"only lines of {newest} of the environment: shorten --since")
    return answer["lines"], answer["left_out"]


def _say_left_out(left_out: int, which: str) -> None:
    if left_out:
        print_status(f"{left_out:,} {which} lines are left out")


def _print(lines: list[Line], *, as_json: bool) -> None:
    for line in lines:
        print(json.dumps(line) if as_json else text_of(line), flush=True)


def text_of(line: Line) -> str:
    """A line for people: UTC, severity, who wrote it, the text without control characters."""
    moment = datetime.fromtimestamp(line["time"], UTC).isoformat(timespec="milliseconds")
    severity = (line["severity"] or ("-" if not line["record"] else "lambda")).upper()
    text = "".join(c if c.isprintable() or c == "\t" else " " for c in line["text"])
    return f"{moment[:-6]}Z  {severity:<6}  {line['service']}  {text}"


def _get(to: str, path: str, query: dict[str, Any]) -> Any:
    try:
        return get_json(to, path, query)
    except Refused as refusal:
        if refusal.status not in (401, 403):
            raise
        raise CommandError(f"{refusal}: set {TOKEN} to a key of role viewer.") from None
