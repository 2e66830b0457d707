"""How Lambda's runtimes log that a handler failed, of which the platform's REPORT says nothing. Pure.

Only a runtime's own line counts, never the application's: that logs errors which it handled, too. The
formats are those of AWS's runtime clients: Python, Node.js and Java as recorded
(tests/samples/lambda_runtimes), Ruby as its source prints it. Runtimes whose line an application writes as
well (.NET; Node.js in the JSON format, where it is that of ``console.error(error)``), or that log nothing
(Go, most custom ones), leave it unknown whether an invocation succeeded.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

MAX_MESSAGE = 1_000
"""Characters of an exception's message."""
_HEAD = 4_096
"""Characters in which Java's message must end."""
_PYTHON = re.compile(r"\[ERROR\] (?P<type>[^\W\d][\w.]*)(?=: |[\r\n])")
"""``[ERROR] ValueError: …``; `logging` writes a tab behind the bracket."""
_TRACEBACK = re.compile(r"[\r\n]Traceback \(most recent call last\):")
_NODE = re.compile(
    r"\S+\t\S+\tERROR\t(?:Invoke Error|Uncaught Exception|Unhandled Promise Rejection) \t(?=\{)"
)
"""Two blanks, the second a tab, and JSON; ``console.error`` writes a blank and no JSON."""
_JAVA = re.compile(r": (?P<type>[\w$]+(?:\.[\w$]+)*)\r?\n(?P=type)(?=[:\r\n]|\Z)")
"""``boom: example.Failure⏎example.Failure: boom``: message, name, and then the stack trace."""
_OF_RUNTIMES = frozenset(
    ("errorType", "errorMessage", "stackTrace", "requestId", "timestamp", "level", "log_level")
)
"""Members of the JSON lines of Python's and Ruby's runtimes; a logger adds ``message`` or its name."""
_CLASS = re.compile(r"(?:Function|Runtime|Init)<(.+)>\Z")
_VERSION = re.compile(r"INIT_START \S+ Version: (\S+)(?: Runtime: |\Z)")
_VERSION_OF_STREAM = re.compile(r"\[([^\]]+)\]")
_TELLING = re.compile(
    r"INIT_START (?:Runtime Version: (?:python|nodejs|ruby|java)|.* Runtime: (?:python|ruby|java))"
)


class Failure(NamedTuple):
    """The exception that left a handler."""

    type: str
    message: str = ""


def handler_failure(line: str) -> Failure | None:
    """The failure, if this is the line in which a runtime says that its handler failed."""
    if line.startswith("{"):
        return _of_json(line) if '"errorType"' in line or "\\n" in line else None
    if line.startswith("[ERROR] "):
        return _of_python(line)
    if match := _NODE.match(line):
        return _named(_members(line[match.end() :])) or Failure("Error")
    return _of_java(line) if "\n" in line else None


def is_telling(init: str) -> bool:
    """Whether an environment that began with this line logs each failed handler: without such a line the
    handler succeeded. The line itself shows that its subscription delivers more than REPORT."""
    return _TELLING.match(init) is not None


def version_in(init: str, log_stream: str) -> str:
    """The function's version, by the line with which an environment began or its log stream."""
    match = _VERSION_OF_STREAM.search(log_stream) or _VERSION.match(init)
    return match[1] if match else ""


def _of_python(line: str) -> Failure | None:
    match = _PYTHON.match(line)
    *_, traceback = None, *_TRACEBACK.finditer(line)  # a message may contain one as well
    if match is None or traceback is None:
        return None
    frames = re.split(r"[\r\n]+", line[traceback.end() :].strip("\r\n"))
    if not all(frame[:1] in ("", " ", "\xa0") for frame in frames):
        return None  # `logging.exception` ends with the exception
    return _failure(match["type"], line[match.end() : traceback.start()].removeprefix(": "))


def _of_java(text: str) -> Failure | None:
    match = _JAVA.search(text, 0, _HEAD)
    if match is None:
        return None
    message, rest = text[: match.start()], text[match.end() :]
    if rest.startswith(f": {message}"):
        return _failure(match["type"], message)
    return Failure(match["type"]) if message == match["type"] else None  # it has no message


def _of_json(line: str) -> Failure | None:
    members = _members(line)
    if members.keys() <= _OF_RUNTIMES and isinstance(members.get("stackTrace"), list):
        return _named(members)
    message = members.get("message")
    return _of_java(message) if isinstance(message, str) and "\n" in message else None


def _named(members: dict[str, Any]) -> Failure | None:
    type, message = members.get("errorType"), members.get("errorMessage")
    if not isinstance(type, str) or not type:
        return None
    match = _CLASS.match(type)
    return _failure(match[1] if match else type, message if isinstance(message, str) else "")


def _failure(type: str, message: str) -> Failure:
    return Failure(type, message.strip()[:MAX_MESSAGE])


def _members(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
