"""Which periods a comparison is of, as a request names them."""

from __future__ import annotations

from api.comparison.choice import LONGEST, SHORTEST, whole_minutes
from api.context import Context
from api.errors import ApiError
from api.v1.params import MOST, moment
from store.deployments import Deployment
from store.model import TimeRange
from store.times import DAY, MINUTE, SECOND

WEEK = 7 * DAY
DEPLOYED_WITHIN = 30 * DAY
DEPLOYMENT = "deployment"


def deployment_of(context: Context, window: TimeRange, then: str) -> Deployment | None:
    """The deployment that a request means; None if it means none. ApiError (404) if there is none."""
    kind, colon, id = then.partition(":")
    if kind != DEPLOYMENT:
        return None
    recent = TimeRange(max(0, window.end - DEPLOYED_WITHIN), window.end)
    for each in context.store.deployments(recent, limit=MOST if colon else 1):
        if not colon or each.id == id:
            return each
    which = f"no deployment {id[:60]!r}" if colon else "no deployment"
    raise ApiError(
        f"then: {which} was reported in the 30 days before `to`",
        code="NoSuchDeployment",
        status=404,
    )


def later(context: Context, window: TimeRange, deployment: Deployment | None) -> TimeRange:
    """The whole minutes of the window whose requests have ended, as a rule, and since the deployment if it is in it."""
    start = max(window.start, deployment.at if deployment else 0)
    now = whole_minutes(TimeRange(min(start, window.end - 1), window.end), context.settled_before())
    length = now.end - now.start if now else 0
    if now is None or length < SHORTEST:
        since = " since the deployment" if start > window.start else ""
        raise ApiError(
            f"the window must have at least {SHORTEST // MINUTE} whole minutes{since} that have ended, got {length // MINUTE}"
        )
    if length > LONGEST:
        raise ApiError(f"the window must be at most 24 hours, got {length / MINUTE / 60:.1f}")
    return now


def earlier(
    context: Context, now: TimeRange, then: str, deployment: Deployment | None
) -> TimeRange:
    """The period that a request compares with; ApiError unless it lies before the other one."""
    length = now.end - now.start
    if deployment is not None:
        start = min(now.start, deployment.at // MINUTE * MINUTE) - length
    elif then in (named := {"before": length, "yesterday": DAY, "week": WEEK}):
        start = now.start - named[then]
    else:
        try:
            given = moment(then, "then", context.now())
        except ApiError:
            raise ApiError(
                f"then must be before, yesterday, week, deployment, deployment:<id> or a time, got {then[:60]!r}"
            ) from None
        start = given // MINUTE * MINUTE
    if start + length > now.start or start < 0:
        raise ApiError(
            f"then must be a period before the window: it would end at {(start + length) / SECOND:.0f}, the window begins at {now.start / SECOND:.0f}"
        )
    return TimeRange(start, start + length)
