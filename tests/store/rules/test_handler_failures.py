"""A runtime's line on a handler that failed is recognised, an application's line on an error is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.rules.handler_failures import Failure, handler_failure, is_telling

RECORDED = Path(__file__).parents[2] / "samples" / "lambda_runtimes"
EXPECTED = {
    "python": {
        "raise": Failure("ValueError", "amount must not be negative"),
        "bare": Failure("KeyError"),
        "lines": Failure("RuntimeError", "first line\nsecond line"),
    },
    "node": {
        "raise": Failure("RangeError", "amount must not be negative"),
        "bare": Failure("Error", "text"),
        "lines": Failure("Error", "first line\nsecond line"),
        "uncaught": Failure("RangeError", "amount must not be negative"),
    },
    "java": {
        "raise": Failure("java.lang.IllegalArgumentException", "amount must not be negative"),
        "bare": Failure("java.lang.IllegalArgumentException"),
        "lines": Failure("java.lang.RuntimeException", "first line\nsecond line"),
    },
}
UNKNOWABLE = {"node-json-framed", "node-json-stdout"}
"""The runtime's line is that of ``console.error(error)``."""
SPLIT = {("python-text-stdout", "lines")}
"""Without the frames of Lambda's log protocol, as in the emulator, lines of a message are lines of the log."""


def recorded() -> list[Any]:
    return [
        pytest.param(path.stem, content, id=f"{path.stem}-{content['what']}")
        for path in sorted(RECORDED.glob("*.jsonl"))
        for content in map(json.loads, path.read_text().splitlines())
    ]


@pytest.mark.parametrize(("run", "invocation"), recorded())
def test_what_runtimes_were_recorded_to_write(run: str, invocation: dict[str, Any]) -> None:
    what = invocation["what"]
    expected = EXPECTED[run.partition("-")[0]].get(what)
    if run in UNKNOWABLE or (run, what) in SPLIT:
        expected = None
    found = [handler_failure(line) for line in invocation["lines"]]
    assert [each for each in found if each] == ([expected] if expected else [])
    assert (invocation["answered"] == "error") == (what not in ("ok", "handled"))


def test_ten_runs_were_recorded() -> None:
    assert len(list(RECORDED.glob("*.jsonl"))) == 10


TRACEBACK = "Traceback (most recent call last):"
RUBY = json.dumps(
    {"errorMessage": "boom", "errorType": "Function<RuntimeError>", "stackTrace": ["/f.rb:3"]},
    indent=2,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (RUBY, Failure("RuntimeError", "boom")),
        (
            f"[ERROR] ValueError: x\n{TRACEBACK}\nKeyError: 'a'\n{TRACEBACK}\n  File /app.py",
            Failure("ValueError", f"x\n{TRACEBACK}\nKeyError: 'a'"),
        ),
        (
            f"[ERROR] Runtime.ImportModuleError: no module 'app'\r{TRACEBACK}",
            Failure("Runtime.ImportModuleError", "no module 'app'"),
        ),
    ],
)
def test_further_lines_of_runtimes(line: str, expected: Failure) -> None:
    assert handler_failure(line) == expected


APPLICATIONS = [
    "[ERROR] ValueError: it was handled",
    '[ERROR] Failed: x\nTraceback (most recent call last):\n  File "/a.py"\nValueError: x',
    "[ERROR]\t2026-11-26T10:00:00.000Z\t8286a188-ba32-4475-8077-530cd35c09a9\tValueError: x",
    "2026-11-26T10:00:00.000Z\tundefined\tERROR\tInvoke Error of a partner",
    "2026-11-26T10:00:00.000Z\tundefined\tINFO\tInvoke Error \t{}",
    "payment failed: example.Failure\nexample.Failure: another message\n\tat a.B(B.java:1)",
    "example.Failure: boom\n\tat a.B(B.java:1)",
    '{"level":"ERROR","message":"no","errorType":"E","errorMessage":"m","stackTrace":[]}',
    '{"errorType":"E","errorMessage":"m","stackTrace":[],"statusCode":500}',
    '{"errorType":"E","errorMessage":"m"}',
    '{"errorType":"E","errorMessage":"m","stackTrace":[]',
    '{"message":"a\\nb"}',
    "",
]


@pytest.mark.parametrize("line", APPLICATIONS)
def test_what_an_application_writes_is_no_failure(line: str) -> None:
    assert handler_failure(line) is None


@given(st.text(st.sampled_from('[ERROR] Type:\n\r\xa0\t{}",java.lang.X: Traceback'), max_size=80))
def test_any_text_is_read(line: str) -> None:
    found = handler_failure(line)
    assert found is None or found.type


def test_a_long_message_is_cut() -> None:
    line = f"[ERROR] ValueError: {'x' * 5_000}\rTraceback (most recent call last):"
    found = handler_failure(line)
    assert found is not None
    assert len(found.message) == 1_000


@pytest.mark.parametrize(
    ("init", "telling"),
    [
        ("INIT_START Runtime Version: python:3.12.v38\tRuntime Version ARN: arn:…", True),
        ("INIT_START Runtime Version: nodejs:20.v43\tRuntime Version ARN: arn:…", True),
        ("INIT_START Runtime Version: provided:al2023.v77\tRuntime Version ARN: arn:…", False),
        ("INIT_START Runtime Version: dotnet:8.v30\tRuntime Version ARN: arn:…", False),
        ("INIT_START checkout Version: 42 Runtime: python:3.12.v38", True),
        ("INIT_START checkout Version: 42 Runtime: nodejs:20.v43", False),
        ("INIT_START checkout Version: 42", False),
        ("START RequestId: x Version: 42", False),
    ],
)
def test_runtimes_that_log_every_failed_handler(init: str, telling: bool) -> None:
    assert is_telling(init) is telling
