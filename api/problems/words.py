"""A problem in one line: what is wrong where, by how much, since when, and whom it reaches."""

from __future__ import annotations

from collections.abc import Sequence

from api.problems.record import Changed
from api.problems.symptom import Measure, Symptom
from api.problems.tracker import Problem, State
from store.model import NodeKey
from store.times import MINUTE

MOST_NAMES = 3
MOST_EXCEPTION = 60
FAILS = {Measure.FAULT: "fails", Measure.ERROR: "client errors", Measure.THROTTLE: "throttled"}


def line(problem: Problem, exception: str = "", changes: Sequence[Changed] = ()) -> str:
    """At most some 120 characters, the type of the commonest exception, and the nearest of the ``changes`` before."""
    main = problem.main
    parts = [f"{_mark(main)} {_what(problem)} since {clock(problem.since)}"]
    if problem.state is State.CLOSED:
        parts[0] += f" until {clock(problem.ended)}"
    if exception:
        parts.append(exception[:MOST_EXCEPTION])
    if problem.others:
        names = [_name(each) for each in problem.others]
        more = len(names) - MOST_NAMES
        rest = f" and {more} more" if more > 0 else ""
        parts.append(f"affects {', '.join(names[:MOST_NAMES])}{rest}")
    if changes:
        parts.append(_when(changes[0], problem.since))
    return " · ".join(parts)


def clock(minute: int) -> str:
    """The time of a minute, UTC."""
    return f"{minute // 60 % 24:02}:{minute % 60:02}"


def _when(change: Changed, since: int) -> str:
    minutes = since - change.at // MINUTE
    if not minutes:
        return f"with {change.what}"
    return f"{abs(minutes)} min {'after' if minutes > 0 else 'before'} {change.what}"


def _mark(main: Symptom) -> str:
    if main.measure is Measure.DROP:
        return "⇣"
    if main.measure is Measure.SURGE:
        return "⇡"
    return "✕" if main.measure.is_failing else "⧖"


def _what(problem: Problem) -> str:
    main, name = problem.main, _name(problem.origin)
    if main.measure in FAILS:
        return f"{name} {FAILS[main.measure]} {percent_words(main.usual)} → {percent_words(main.now)} %"
    if main.measure.is_slow:
        return f"{name} slow, {main.measure} {time_words(main.usual)} → {time_words(main.now)}"
    where = _calls(problem)
    if main.measure is Measure.SURGE:
        return f"{where} calls ×{main.now / max(main.usual, 1e-9):.1f} per request"
    if main.now < 0.05 * main.usual:
        return f"{where} no calls ({number_words(main.usual)} a minute expected)"
    return f"{where} calls {number_words(main.usual)} → {number_words(main.now)} a minute"


def _calls(problem: Problem) -> str:
    """The edge, and how many others of the same node, or an entry."""
    main, origin = problem.main, problem.origin
    source, node = main.series.source, main.series.node
    if source.is_client:
        return _name(node)
    others = {
        each.series.node
        for each in problem.symptoms
        if origin == each.series.source == source and each.measure is main.measure
    }
    more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
    return f"{_name(source)} → {_name(node)}{more}"


def _name(node: NodeKey) -> str:
    return node.name


def percent_words(share: float) -> str:
    """A share in percent, without the sign."""
    percent = 100 * share
    return f"{percent:.0f}" if percent >= 20 else f"{percent:.1f}"


def number_words(value: float) -> str:
    """A number with two digits or so."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def time_words(microseconds: float) -> str:
    """A time with two digits or so."""
    if microseconds >= 1_000_000:
        return f"{microseconds / 1_000_000:.1f} s"
    milliseconds = microseconds / 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
