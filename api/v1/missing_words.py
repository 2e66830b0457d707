"""A cause of a missing edge in a sentence."""

from __future__ import annotations

from store.missing_edges.model import Basis, Cause, Finding

_CALLER_MENDS = (Cause.NO_EXIT_SPAN, Cause.PARENT_MISSING, Cause.OTHER_ACCOUNT)


def mends_caller(cause: Cause) -> bool:
    """Whether the caller's configuration mends it, rather than the callee's."""
    return cause in _CALLER_MENDS


def words(finding: Finding, caller: str, callee: str) -> str:
    """What was found, with its numbers, and what that rests on."""
    part = f"{finding.units:,} of {finding.of:,}"
    above = caller or "its caller"
    match finding.cause:
        case Cause.NO_EXIT_SPAN:
            return (
                f"{part} traces that {callee} begins lie inside of requests of {above}, which records no call of it "
                "(by time)"
            )
        case Cause.HEADER_NOT_PASSED if finding.basis is Basis.IDS:
            return f"{part} calls of {above} arrive at {callee} with the id of the trace and without that of the call"
        case Cause.HEADER_NOT_PASSED:
            return f"{part} calls of {above} begin a new trace at {callee} (by name and time)"
        case Cause.PARENT_MISSING:
            at = f" ({caller} was at work)" if caller else ""
            return f"{part} requests of {callee} name a parent that has not come: it was lost, is late, or is still open{at}"
        case Cause.NOT_SAMPLED:
            return (
                f"{part} calls of {above} to {finding.called} have no answer, although {callee} reports others: it did "
                "not sample these, or lost them (by name)"
            )
        case Cause.CLOCK_SKEW:
            return (
                f"{part} answers of {callee} lie {time_words(finding.skew)} outside of the calls of {above} (median): the "
                "clocks differ"
            )
        case Cause.OTHER_ACCOUNT:
            return (
                f"{part} calls of {above} to {finding.called} are traced there, and nothing of it reports here: it "
                "reports to another account or tenant"
            )
        case Cause.PLATFORM_RECORD_MISSING:
            return f"{part} requests of {callee} lack the record that Lambda or API Gateway writes of them"
        case Cause.STILL_RUNNING:
            return f"{part} units between {above} and {callee} wait for one that has not ended"


def time_words(microseconds: int) -> str:
    """A time, such as 42 ms."""
    seconds = microseconds / 1_000_000
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{seconds * 1000:,.0f} ms"
