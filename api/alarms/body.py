"""An alarm from the JSON of a request. Raises ApiError (400) that says which member is wrong, and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import TypeVar

from api.alarms.metrics import METRICS, PLATFORM
from api.alarms.webhook import WebhookRefused, check_secret, check_url
from api.errors import ApiError
from api.reach import Destinations
from api.request import JsonBody
from api.xray.entity_selector import parse_selector
from store.alarms import DAY_MINUTES, MAX_WEBHOOKS, MOST_PERIODS, Alarm, AlarmKind, Webhook
from store.filters.ast import EdgeMatch, ServiceMatch
from store.rules.alarm_state import AlarmState, MissingData

Choice = TypeVar("Choice", bound=StrEnum)

MAX_NAME, MAX_NOTE, MAX_SELECTOR, MAX_VERSION = 100, 500, 2000, 200
SHORTEST_BASELINE, LONGEST_BASELINE = 10, 7 * DAY_MINUTES
"""Minutes."""
MOST_REQUESTS = 1_000_000
COMPARISONS = (">=", "<=")
_ALL = {"kind", "selector", "notify", "webhooks", "note", "periods"}
_MEMBERS = {
    AlarmKind.METRIC: _ALL
    | {"metric", "version", "comparison", "threshold", "datapoints", "missing", "minimum"},
    AlarmKind.NEW_EDGE: _ALL | {"baseline"},
    AlarmKind.NEW_CALLER: _ALL | {"baseline"},
    AlarmKind.VANISHED_EDGE: _ALL | {"baseline", "minimum"},
}
_PERIODS = {AlarmKind.NEW_EDGE: 5, AlarmKind.NEW_CALLER: 5}
"""By default; else one minute."""
_MINIMUM = {AlarmKind.VANISHED_EDGE: 5}


def read_name(name: str, most: int = MAX_NAME) -> str:
    """The name in an address."""
    printable = name.isprintable() and name == name.strip() and "/" not in name
    if not printable or not 0 < len(name) <= most:
        raise ApiError(f"the name must have 1 to {most} printable characters other than /")
    return name


def read_alarm(name: str, body: JsonBody, old: Alarm | None, now: int, to: Destinations) -> Alarm:
    """The alarm that a body describes, in place of ``old``, whose secrets apply where none is given.

    ``to``: where webhooks may go; ``now``: microseconds.
    """
    kind = _choice(body, "kind", AlarmKind, AlarmKind.METRIC)
    if unknown := sorted(body.names() - _MEMBERS[kind]):
        known = ", ".join(sorted(_MEMBERS[kind]))
        raise ApiError(f"{unknown[0][:60]!r} is unknown of a {kind} alarm, expected {known}")
    periods = _whole(body, "periods", _PERIODS.get(kind, 1), 1, MOST_PERIODS)
    datapoints = _whole(body, "datapoints", periods, 1, MOST_PERIODS)
    if datapoints > periods:
        raise ApiError(f"datapoints must be at most periods ({periods}), got {datapoints}")
    metric, comparison, threshold = _threshold(body) if kind is AlarmKind.METRIC else ("", ">=", 0)
    version = _version(body, metric)
    return Alarm(
        name=name,
        kind=kind,
        selector=_selector(body, kind, metric, version),
        metric=metric,
        comparison=comparison,
        threshold=threshold,
        datapoints=datapoints,
        periods=periods,
        missing=_choice(body, "missing", MissingData, MissingData.MISSING),
        minimum=_whole(body, "minimum", _MINIMUM.get(kind, 1), 1, MOST_REQUESTS),
        baseline=_whole(body, "baseline", DAY_MINUTES, SHORTEST_BASELINE, LONGEST_BASELINE),
        notify=_notify(body),
        webhooks=_webhooks(body, old, to),
        note=body.text("note", most=MAX_NOTE).strip(),
        created=old.created if old else now,
        modified=now,
        version=version,
    )


def _threshold(body: JsonBody) -> tuple[str, str, float]:
    metric = body.required_text("metric", most=MAX_NAME)
    if metric not in METRICS and (not metric.startswith(PLATFORM) or metric == PLATFORM):
        raise ApiError(
            f"metric must be one of {', '.join(METRICS)} or {PLATFORM}<name>, got {metric[:60]!r}"
        )
    comparison = body.text("comparison") or ">="
    if comparison not in COMPARISONS:
        raise ApiError(f"comparison must be >= or <=, got {comparison[:20]!r}")
    threshold = body.number("threshold")
    if threshold is None:
        raise ApiError("threshold must be given, a number")
    if metric in METRICS and METRICS[metric].share and not 0 <= threshold <= 1:
        raise ApiError(f"threshold of {metric} must be a share, 0 to 1, got {threshold:g}")
    return metric, comparison, threshold


def _version(body: JsonBody, metric: str) -> str:
    version = body.text("version", most=MAX_VERSION).strip()
    if version and metric.startswith(PLATFORM):
        raise ApiError("version must be left out: metrics of the platform are of all versions")
    return version


def _selector(body: JsonBody, kind: AlarmKind, metric: str, version: str) -> str:
    text = body.text("selector", most=MAX_SELECTOR).strip()
    needs_node = kind is AlarmKind.NEW_CALLER or metric.startswith(PLATFORM) or version != ""
    if not text:
        if needs_node:
            raise ApiError('selector must name a node, such as service("orders")')
        return ""
    try:
        found = parse_selector(text)
    except ApiError as error:
        raise ApiError(error.message.replace("EntitySelectorExpression", "selector", 1)) from None
    if needs_node and not isinstance(found[0], ServiceMatch):
        raise ApiError("selector must be service(…), got edge(…)")
    if kind in (AlarmKind.NEW_EDGE, AlarmKind.VANISHED_EDGE) and not isinstance(
        found[0], EdgeMatch
    ):
        raise ApiError("selector must be edge(…), or empty for every edge, got service(…)")
    return text


def _notify(body: JsonBody) -> tuple[AlarmState, ...]:
    if not body.has("notify"):
        return (AlarmState.ALARM, AlarmState.OK)
    states = body.texts("notify")
    return tuple(dict.fromkeys(_one_of("notify", state, AlarmState) for state in states))


def _webhooks(body: JsonBody, old: Alarm | None, to: Destinations) -> tuple[Webhook, ...]:
    """A webhook without a secret retains the one of its URL: secrets are never shown."""
    if not body.has("webhooks"):
        return ()
    secrets = {webhook.url: webhook.secret for webhook in old.webhooks} if old else {}
    found: dict[str, Webhook] = {}
    for at, member in enumerate(body.objects("webhooks", most=MAX_WEBHOOKS)):
        url = member.required_text("url", most=MAX_SELECTOR)
        secret = member.text("secret", most=200) or secrets.get(url, "")
        _check(f"webhooks[{at}].url", partial(check_url, url, to))
        _check(f"webhooks[{at}].secret", partial(check_secret, secret))
        if url in found:
            raise ApiError(f"webhooks[{at}].url is there twice")
        found[url] = Webhook(url, secret)
    return tuple(found.values())


def _check(where: str, check: Callable[[], object]) -> None:
    try:
        check()
    except WebhookRefused as error:
        raise ApiError(f"{where} {error}") from None


def _choice(body: JsonBody, name: str, choices: type[Choice], default: Choice) -> Choice:
    return _one_of(name, body.text(name) or default.value, choices)


def _one_of(name: str, text: str, choices: type[Choice]) -> Choice:
    try:
        return choices(text)
    except ValueError:
        known = ", ".join(choices)
        raise ApiError(f"{name} must be one of {known}, got {text[:60]!r}") from None


def _whole(body: JsonBody, name: str, default: int, least: int, most: int) -> int:
    value = body.count(name) if body.has(name) else default
    if not least <= value <= most:
        raise ApiError(f"{name} must be {least:,} to {most:,}, got {value:,}")
    return value
