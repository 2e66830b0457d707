"""How many spans a sampled one stands for: OpenTelemetry's consistent probability sampling.

``ot=th:…`` in a span's tracestate is the rejection threshold T of whoever sampled it: kept were the
traces whose 56 bits of randomness R are at least T, a share of (2⁵⁶ - T) / 2⁵⁶, so each kept span
stands for 2⁵⁶ / (2⁵⁶ - T). R is ``rv`` when that is given, else the last 7 bytes of the trace id.
Sources: OpenTelemetry specification, "TraceState: Probability Sampling", "TraceState Handling".
X-Ray has nothing alike: there the numbers are sampled away.
"""

from __future__ import annotations

import re

LARGEST = 1 << 20
"""More than this no span stands for: one with a strange threshold must not outweigh all others."""

_RANGE = 1 << 56
_ENTRY_LENGTH = 256
_THRESHOLD = re.compile(r"[0-9a-f]{1,14}")
_RANDOMNESS = re.compile(r"[0-9a-f]{14}")


def adjusted_count(trace_state: str, trace_id: bytes) -> int:
    """How many spans this one stands for, a whole number from 1 to `LARGEST`.

    2⁵⁶ / (2⁵⁶ - T) rounded up or down by the trace's own randomness, so that every span of a trace
    with one threshold counts alike, and many traces add up to the fraction: R is even over [T, 2⁵⁶).
    1 without a threshold, with one that is malformed, and with one that R contradicts (such a trace
    would not have been kept; the specification has it erased).
    """
    if "ot=" not in trace_state:
        return 1
    values = _values(trace_state)
    threshold = values.get("th", "")
    explicit = values.get("rv")
    if not _THRESHOLD.fullmatch(threshold):
        return 1
    if explicit is None:
        randomness = int.from_bytes(trace_id[-7:], "big")
    elif _RANDOMNESS.fullmatch(explicit):
        randomness = int(explicit, 16)
    else:
        return 1
    rejected = int(threshold.ljust(14, "0"), 16)
    if randomness < rejected:
        return 1
    kept = _RANGE - rejected
    whole, rest = divmod(_RANGE, kept)
    return min(whole + (randomness - rejected < rest), LARGEST)


def _values(trace_state: str) -> dict[str, str]:
    """The members of the ``ot`` entry; none when it is not as the specification has it."""
    for entry in trace_state.split(","):
        vendor, _, text = entry.strip(" \t").partition("=")
        if vendor == "ot":
            if len(text) > _ENTRY_LENGTH:
                return {}
            members = [member.partition(":") for member in text.split(";")]
            values = {key: value for key, colon, value in members if colon}
            return values if len(values) == len(members) else {}
    return {}
