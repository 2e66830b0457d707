"""The adjusted count of a span: how many spans it represents under consistent probability sampling.

``ot=th:…`` in a span's tracestate is the sampler's rejection threshold T. Sampled traces are those
whose 56 bits of randomness R are at least T, a share of (2⁵⁶ - T) / 2⁵⁶, so each sampled span
represents 2⁵⁶ / (2⁵⁶ - T). R is ``rv`` if present, else the last 7 bytes of the trace id.

``ot=p:…`` is how samplers of the former specification say 2⁻ᵖ, so each span represents 2ᵖ; ``r`` is the
greatest p by which its trace is sampled. Other probabilities are mixed of powers of two by the sampler.

Sources: OpenTelemetry specification, "TraceState: Probability Sampling", "TraceState Handling"; OTEP 4673
(what "TraceState: Probability Sampling" was before), "P-value" and "Context invariants".
X-Ray has no equivalent: its counts are those of the sample.
"""

from __future__ import annotations

import re

LARGEST = 1 << 20
"""The greatest adjusted count, so that one span with an extreme threshold cannot dominate all
others."""

_RANGE = 1 << 56
_ENTRY_LENGTH = 256
_THRESHOLD = re.compile(r"[0-9a-f]{1,14}")
_RANDOMNESS = re.compile(r"[0-9a-f]{14}")
_DECIMAL = re.compile(r"[0-9]{1,2}")
_MOST_P, _MOST_R = 62, 62


def adjusted_count(trace_state: str, trace_id: bytes) -> int:
    """How many spans this one represents, an integer from 1 to `LARGEST`.

    2⁵⁶ / (2⁵⁶ - T), rounded up or down by the trace's own randomness: spans of one trace with one
    threshold count alike, and the mean over many traces is the exact fraction, as R is uniform over
    [T, 2⁵⁶). 1 without a threshold, with a malformed one, and with one that R contradicts: such a
    trace would not have been sampled, and the specification erases the threshold.
    """
    if "ot=" not in trace_state:
        return 1
    values = _values(trace_state)
    if "th" not in values:
        return _of_power(values)
    threshold = values["th"]
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
    accepted = _RANGE - rejected
    whole, rest = divmod(_RANGE, accepted)
    return min(whole + (randomness - rejected < rest), LARGEST)


def _of_power(values: dict[str, str]) -> int:
    """2ᵖ; 1 without p, and where the specification unsets it: out of range, beside an invalid r, or greater
    than r although the span was sampled. p = 63 is a span that the probability did not select and another
    sampler did; the specification counts it zero times, the map, which shows it, once."""
    power, greatest = values.get("p", ""), values.get("r", str(_MOST_R))
    if not (_DECIMAL.fullmatch(power) and _DECIMAL.fullmatch(greatest)):
        return 1
    if int(power) > min(int(greatest), _MOST_P) or int(greatest) > _MOST_R:
        return 1
    return min(1 << int(power), LARGEST)


def _values(trace_state: str) -> dict[str, str]:
    """The members of the ``ot`` entry; none if it is malformed."""
    for entry in trace_state.split(","):
        vendor, _, text = entry.strip(" \t").partition("=")
        if vendor == "ot":
            if len(text) > _ENTRY_LENGTH:
                return {}
            members = [member.partition(":") for member in text.split(";")]
            values = {key: value for key, colon, value in members if colon}
            return values if len(values) == len(members) else {}
    return {}
