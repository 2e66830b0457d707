"""Stack traces in each language's format → X-Ray's frames, innermost first, and their causes."""

from __future__ import annotations

import re
from typing import Any

from store.otel.status import Thrown

MAX_FRAMES = 50
MAX_CAUSES = 10

_FRAMES = {
    "python": re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<label>.+))?'),
    "java": re.compile(r"^\s*at (?P<label>[^\s(]+)\((?P<path>[^:)]+)(?::(?P<line>\d+))?\)"),
    "nodejs": re.compile(
        r"^\s*at (?:(?P<label>.+?) \()?(?P<path>[^\s()][^()]*?):(?P<line>\d+):\d+\)?$"
    ),
    "dotnet": re.compile(r"^\s*at (?P<label>[^\s(].*?\))(?: in (?P<path>.+):line (?P<line>\d+))?$"),
    "go": re.compile(r"^\t(?P<path>\S+):(?P<line>\d+)"),
    "php": re.compile(r"^\s*#\d+ (?P<path>[^(]+)\((?P<line>\d+)\): (?P<label>.+)"),
    "ruby": re.compile(r"^\s*(?:from )?(?P<path>[^:]+):(?P<line>\d+):in [`'](?P<label>[^']+)'"),
}
_ALIASES = {"webjs": "nodejs", "javascript": "nodejs", "cpp": "", "kotlin": "java"}

_CAUSED_BY = re.compile(r"^Caused by: ", re.MULTILINE)
_PYTHON_LINK = re.compile(
    r"\n(?:During handling of the above exception, another exception occurred"
    r"|The above exception was the direct cause of the following exception):\n"
)
_HEADLINE = re.compile(r"^(?P<type>[\w.$]+)(?:: (?P<message>.*))?$")


def frames_of(stack: str, language: str) -> list[dict[str, Any]]:
    """The frames of one exception's stack; none if the language is unknown."""
    pattern = _FRAMES.get(_ALIASES.get(language, language))
    if pattern is None:
        return []
    frames: list[dict[str, Any]] = []
    above = ""
    for line in stack.splitlines():
        if match := pattern.match(line):
            found = match.groupdict()
            label = found.get("label") or (above.strip() if language == "go" else "")
            at = int(found["line"]) if found.get("line") else 0
            frames.append({"path": found.get("path") or "", "line": at, "label": label})
        above = line
    if language == "python":  # its tracebacks end with the innermost frame
        frames.reverse()
    return frames[:MAX_FRAMES]


def split_causes(thrown: Thrown, language: str) -> list[Thrown]:
    """The exception with its own stack only, then its causes, step by step."""
    if not thrown.stack or not thrown.type:
        return [thrown]
    if language == "python":
        *causes, own = _PYTHON_LINK.split(thrown.stack)
        causes.reverse()
        headlines = [part.strip().rpartition("\n")[2] for part in causes]
    else:
        own, *causes = _CAUSED_BY.split(thrown.stack)
        headlines = [part.partition("\n")[0] for part in causes]
    chain = [thrown._replace(stack=own)]
    for headline, part in zip(headlines, causes, strict=True):
        match = _HEADLINE.match(headline)
        if match is None or len(chain) > MAX_CAUSES:
            break
        chain.append(Thrown(match["type"], match["message"] or "", part))
    return chain
