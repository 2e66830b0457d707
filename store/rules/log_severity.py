"""How severe a log line is: one word for what languages, Lambda and OpenTelemetry call it. Pure."""

from __future__ import annotations

SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")
_WORDS = {
    **{word: word for word in SEVERITIES},
    "fine": "debug",
    "verbose": "debug",
    "information": "info",
    "notice": "info",
    "warning": "warn",
    "err": "error",
    "severe": "error",
    "critical": "fatal",
    "crit": "fatal",
    "alert": "fatal",
    "emergency": "fatal",
    "emerg": "fatal",
    "panic": "fatal",
}


def severity_of(word: object) -> str:
    """The severity by its name, as in ``WARNING`` or OpenTelemetry's ``INFO2``; '' for others."""
    return _WORDS.get(word.strip().lower().rstrip("1234"), "") if isinstance(word, str) else ""


def severity_by_number(number: int) -> str:
    """The severity by OpenTelemetry's number, 1 to 24; '' for others."""
    return SEVERITIES[(number - 1) // 4] if 1 <= number <= 24 else ""
