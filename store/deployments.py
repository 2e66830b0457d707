"""A deployment: which version of a service was deployed when. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from store.model import TimeRange
from store.times import parse_moment

MAX_TEXT = 200
MAX_LINK = 2000
CODEDEPLOY = "aws.codedeploy"
"""``source`` of CodeDeploy's events on EventBridge."""
STATE_CHANGE = "CodeDeploy Deployment State-change Notification"


class Deployment(Struct, frozen=True, omit_defaults=True):
    """``at``: microseconds since the epoch. ``service``: a node's name; '' is any service.

    ``state``: what happened, such as ``started`` or ``failed``; ``link``: an http(s) address with
    more about it. A deployment with the same ``id`` replaces it.
    """

    id: str
    at: int
    service: str = ""
    version: str = ""
    environment: str = ""
    account: str = ""
    region: str = ""
    state: str = ""
    note: str = ""
    link: str = ""


class DeploymentStore(Protocol):
    """Stores which version was deployed when."""

    def put_deployment(self, deployment: Deployment, at: int) -> None:
        """Store a deployment in place of any with its id; ``at`` is now, in microseconds."""
        ...

    def remove_deployment(self, id: str, at: int) -> bool:
        """Remove a deployment; False if there was none."""
        ...

    def deployments(self, window: TimeRange, *, limit: int) -> list[Deployment]:
        """Those of the window, the latest first; at equal times by id."""
        ...


class InvalidDeployment(ValueError):
    """What is wrong with a reported deployment: which property, and what was expected."""


def read_deployment(
    body: Mapping[str, Any], now: int, overrides: Mapping[str, str] = MappingProxyType({})
) -> Deployment:
    """The deployment in a request's JSON: ours, or an event of CodeDeploy as EventBridge sends it.

    ``now``: microseconds, the time where none is given. ``overrides`` take the place of the body's
    members. Raises InvalidDeployment.
    """
    if body.get("source") == CODEDEPLOY:
        return replace(_of_codedeploy(body, now), **overrides)
    return _own({**body, **overrides}, now)


_TEXTS = ("id", "service", "version", "environment", "account", "region", "state", "note", "link")


def _own(body: Mapping[str, Any], now: int) -> Deployment:
    unknown = sorted(body.keys() - {*_TEXTS, "at"})
    if unknown:
        known = ", ".join((*_TEXTS, "at"))
        raise InvalidDeployment(f"{unknown[0][:60]!r} is unknown, expected {known}")
    texts = {name: _text(body, name, MAX_LINK if name == "link" else MAX_TEXT) for name in _TEXTS}
    if not texts["service"] and not texts["version"]:
        raise InvalidDeployment("service or version must be given")
    if texts["link"] and not texts["link"].startswith(("https://", "http://")):
        raise InvalidDeployment("link must begin with https:// or http://")
    at = _moment(body.get("at"), "at", now)
    return Deployment(at=at, **{**texts, "id": texts["id"] or _made_id(at, texts)})


def _made_id(at: int, texts: dict[str, str]) -> str:
    """The same for the same deployment, so that a repeated request changes nothing."""
    seed = "\0".join([str(at), *texts.values()]).encode()
    return blake2b(seed, digest_size=8, person=b"deployment").hexdigest()


def _of_codedeploy(event: Mapping[str, Any], now: int) -> Deployment:
    """A `STATE_CHANGE`: every state is a mark of its own. An application of CodeDeploy is no service."""
    if event.get("detail-type") != STATE_CHANGE:
        raise InvalidDeployment(f"detail-type must be {STATE_CHANGE!r}")
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise InvalidDeployment("detail must be an object, as in CodeDeploy's events")
    id, state = _text(detail, "deploymentId"), _text(detail, "state")
    if not id or not state:
        raise InvalidDeployment(
            f"detail.deploymentId and detail.state must be given, as in a {STATE_CHANGE}"
        )
    account, region = _text(event, "account"), _text(event, "region")
    parts = (_text(detail, "application"), _text(detail, "deploymentGroup"), id)
    return Deployment(
        id=f"{account}/{region}/{id}/{state}"[:MAX_TEXT],
        at=_moment(event.get("time"), "time", now),
        account=account,
        region=region,
        state=state.lower(),
        note=" ".join(filter(None, parts))[:MAX_TEXT],
    )


def _text(body: Mapping[str, Any], name: str, most: int = MAX_TEXT) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise InvalidDeployment(f"{name} must be text of at most {most} characters")
    return value.strip()


def _moment(value: object, name: str, now: int) -> int:
    if value is None:
        return now
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise InvalidDeployment(f"{name} must be RFC 3339 or epoch seconds")
    try:
        return parse_moment(text, now)
    except (ValueError, OverflowError) as error:
        raise InvalidDeployment(f"{name} {error}") from None
