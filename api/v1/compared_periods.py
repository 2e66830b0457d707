"""Which periods a comparison is of, as a request names them."""

from __future__ import annotations

from typing import NamedTuple

from api.comparison.choice import LONGEST, SHORTEST, whole_minutes
from api.context import Context
from api.errors import ApiError
from api.v1.params import MOST, moment
from api.v1.problems import first_problem, known_problem
from store.deployments import Deployment
from store.model import TimeRange
from store.times import DAY, MINUTE, SECOND

WEEK = 7 * DAY
DEPLOYED_WITHIN = 30 * DAY
DEPLOYMENT, PROBLEM = "deployment", "problem"


class Event(NamedTuple):
    """A deployment or a problem, whose beginning parts the two periods (microseconds)."""

    what: str
    at: int
    end: int | None = None
    deployment: Deployment | None = None
    problem: str | None = None


def event_of(context: Context, window: TimeRange, then: str) -> Event | None:
    """The deployment or the problem that a request means; None if it means none. ApiError (404) if there is none."""
    kind, colon, id = then.partition(":")
    if kind == DEPLOYMENT:
        return _deployment(context, window, id if colon else None)
    if kind == PROBLEM:
        return _problem(context, window, id if colon else None)
    return None


def _deployment(context: Context, window: TimeRange, id: str | None) -> Event:
    recent = TimeRange(max(0, window.end - DEPLOYED_WITHIN), window.end)
    for each in context.store.deployments(recent, limit=1 if id is None else MOST):
        if id is None or each.id == id:
            return Event(DEPLOYMENT, each.at, deployment=each)
    which = "no deployment" if id is None else f"no deployment {id[:60]!r}"
    raise ApiError(
        f"then: {which} was reported in the 30 days before `to`",
        code="NoSuchDeployment",
        status=404,
    )


def _problem(context: Context, window: TimeRange, id: str | None) -> Event:
    found = known_problem(context, id) if id is not None else first_problem(context, window)
    if found is None:
        raise ApiError("then: there was no problem in the window", code="NoSuchProblem", status=404)
    return Event(PROBLEM, found.since, found.ended or None, problem=str(found.id))


def later(context: Context, window: TimeRange, event: Event | None) -> TimeRange:
    """The whole minutes of the window whose requests have ended, as a rule; of an event, those since it began and until it ended."""
    start = max(window.start, event.at if event else 0)
    end = min(window.end, (event and event.end) or window.end)
    now = whole_minutes(TimeRange(min(start, end - 1), end), context.settled_before())
    length = now.end - now.start if now else 0
    if now is None or length < SHORTEST:
        since = f" since the {event.what}" if event and start > window.start else ""
        raise ApiError(
            f"the window must have at least {SHORTEST // MINUTE} whole minutes{since} that have ended, got {length // MINUTE}"
        )
    if length > LONGEST:
        raise ApiError(f"the window must be at most 24 hours, got {length / MINUTE / 60:.1f}")
    return now


def earlier(context: Context, now: TimeRange, then: str, event: Event | None) -> TimeRange:
    """The period that a request compares with; ApiError unless it lies before the other one."""
    length = now.end - now.start
    if event is not None:
        start = min(now.start, event.at // MINUTE * MINUTE) - length
    elif then in (named := {"before": length, "yesterday": DAY, "week": WEEK}):
        start = now.start - named[then]
    else:
        try:
            given = moment(then, "then", context.now())
        except ApiError:
            raise ApiError(
                f"then must be before, yesterday, week, deployment, deployment:<id>, problem, problem:<id> or a time, got {then[:60]!r}"
            ) from None
        start = given // MINUTE * MINUTE
    if start + length > now.start or start < 0:
        raise ApiError(
            f"then must be a period before the window: it would end at {(start + length) / SECOND:.0f}, the window begins at {now.start / SECOND:.0f}"
        )
    return TimeRange(start, start + length)
