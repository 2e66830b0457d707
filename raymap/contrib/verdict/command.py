"""`raymap verdict`: queries a running server whether a new version does worse, for pipelines.

A server that is unavailable is no verdict: neither a pass nor a fail.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from time import monotonic, sleep
from typing import Any

from raymap.commands.server import get_json, no_raymap

EXIT_CODES = {"pass": 0, "fail": 1, "insufficient": 2}
NO_VERDICT = 3
"""Exit code when the server did not answer, or refused the request."""
TIMEOUT = 120.0
PAUSE = 15.0
"""Seconds between two requests while there is too little traffic."""


def fetch_verdict(url: str, query: Mapping[str, object]) -> dict[str, Any]:
    """The server's answer. Raises CommandError."""
    given = {name: value for name, value in query.items() if value not in ("", None)}
    answer = get_json(url, "/api/v1/verdict", given, timeout=TIMEOUT)
    if not isinstance(answer, dict) or answer.get("verdict") not in EXIT_CODES:
        raise no_raymap(url)
    return answer


def wait_for_verdict(url: str, query: Mapping[str, object], seconds: float) -> dict[str, Any]:
    """The first verdict that is not ``insufficient``, or the last one after some time."""
    deadline = monotonic() + seconds
    while True:
        answer = fetch_verdict(url, query)
        rest = deadline - monotonic()
        if answer["verdict"] != "insufficient" or rest <= 0:
            return answer
        sleep(min(PAUSE, rest))


def print_verdict(answer: Mapping[str, Any], *, as_json: bool) -> int:
    """Print the verdict; the exit code that says it."""
    print(json.dumps(answer, indent=1) if as_json else "\n".join(_lines(answer)))
    return EXIT_CODES[answer["verdict"]]


def _lines(answer: Mapping[str, Any]) -> list[str]:
    old, new = answer["baseline"]["version"], answer["candidate"]["version"]
    lines = [f"{answer['verdict']}: {answer['service']} {new} against {old or 'no other version'}"]
    lines += [f"  {reason}" for reason in answer["reasons"]]
    lines += [f"  {check['text']}" for check in answer["checks"] if not check["fails"]]
    lines += [
        f"  calls to {edge['name']}: {edge['kind']}"
        for edge in answer["edges"]
        if edge["kind"] != "failing"
    ]
    return lines + [f"  example: {id}" for id in answer["examples"]]
