"""`raymap logs`: what it prints, and what it says of everything else."""

from __future__ import annotations

import json
import time
from itertools import islice

import pytest

from raymap.commands.logs import new_lines, text_of
from store.trace_id import format_trace_id
from tests.conftest import Server
from tests.lambda_samples import REQUEST
from tests.raymap.processes import raymap
from tests.waiting import eventually

LINE = {
    "id": "a",
    "time": 1795561200.25,
    "severity": "warn",
    "record": "",
    "service": "checkout",
    "text": "low\tstock\x1b[2J\n",
}


def test_a_line_for_people_has_no_control_characters() -> None:
    assert text_of(LINE) == "2026-11-24T23:00:00.250Z  WARN    checkout  low\tstock [2J "
    assert "LAMBDA" in text_of({**LINE, "severity": "", "record": "end"})


def test_lines_are_followed_once_each() -> None:
    readings = iter([["a", "b"], ["b", "c"], [], ["c", "d"]])
    found = new_lines(lambda: [{"id": id} for id in next(readings)])
    assert [[line["id"] for line in lines] for lines in islice(found, 3)] == [["a", "b"], ["c"], []]


@pytest.mark.server
def test_lines_of_a_trace_and_of_a_function(raymap_server: Server) -> None:
    now = time.time()
    id = format_trace_id(int(now).to_bytes(4, "big") + bytes(11) + b"\x07")
    sent = [
        {
            "timeUnixNano": str(int((now + at) * 1e9)),
            "body": {"stringValue": text},
            "traceId": id[2:].replace("-", ""),
            "attributes": [{"key": "faas.invocation_id", "value": {"stringValue": REQUEST}}],
        }
        for at, text in enumerate(["first", "second"], -2)
    ]
    resource = {"attributes": [{"key": "faas.name", "value": {"stringValue": "logging-function"}}]}
    logs = {"resource": resource, "scopeLogs": [{"logRecords": sent}]}
    assert raymap_server.post("/v1/logs", {"resourceLogs": [logs]}) == {}

    def printed(*arguments: str) -> list[str]:
        done = raymap("logs", *arguments, "--url", raymap_server.http)
        return done.stdout.splitlines()

    eventually(lambda: len(printed(id)) == 2)
    assert [line.split()[-1] for line in printed(id)] == ["first", "second"]
    by_name = printed("--function", "logging-function", "--since", "5m", "--json")
    assert [json.loads(line)["request_id"] for line in by_name] == [REQUEST, REQUEST]
    elsewhere = ("--function", "logging-function", "--since", "5m", "--account", "9", "--json")
    assert printed(*elsewhere) == []


@pytest.mark.server
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("1-2", "--region", "eu-west-1"), "--region narrows the lines of a function"),
        ((), "Name either a trace, by its id, or a function"),
        (("x", "--function", "y"), "Name either a trace, by its id, or a function"),
        (("x", "--tail"), "--tail follows a function"),
        (("x",), "trace id: expected 1-"),
        (("1-6b061440-00000000000000000000dead",), "there is neither a trace"),
        (("--function", "f", "--since", "soon"), "--since: 'soon' is no duration"),
    ],
)
def test_what_is_wrong_is_named(
    raymap_server: Server, arguments: tuple[str, ...], said: str
) -> None:
    done = raymap("logs", *arguments, "--url", raymap_server.http)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.server
def test_without_a_server_it_says_so() -> None:
    done = raymap("logs", "x", "--url", "127.0.0.1:9")
    assert done.returncode == 1
    assert "No Raymap answers at 127.0.0.1:9" in done.stderr
