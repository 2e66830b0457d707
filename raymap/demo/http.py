"""HTTP: visitors with a face, and calls between services that carry the trace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from raymap.demo import latency
from raymap.demo.latency import Latency
from raymap.demo.trace import Entity, Scope

_BROWSERS = (
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/143.0.0.0 Safari/537.36"
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/26.1 Safari/605.1.15"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
    ),
)
_USERS = tuple(f"user-{number:03d}" for number in range(1, 61))
_TIERS = ("free", "free", "free", "plus", "plus", "business")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor of the shop; the address is from a range reserved for documentation."""

    user: str
    tier: str
    agent: str
    address: str


def visitor(random: Random) -> Visitor:
    number = int(random.paretovariate(1.1)) % len(_USERS)
    return Visitor(
        _USERS[number],
        _TIERS[number % len(_TIERS)],
        random.choice(_BROWSERS),
        f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randint(1, 254)}",
    )


def set_request(entity: Entity, method: str, url: str, agent: str, address: str) -> None:
    """The request side of a segment."""
    entity.put_http_meta("method", method)
    entity.put_http_meta("url", url)
    entity.put_http_meta("user_agent", agent)
    entity.put_http_meta("client_ip", address)
    entity.put_http_meta("x_forwarded_for", True)


def fetch(
    scope: Scope, method: str, url: str, answer: Callable[[str, float], tuple[int, float]]
) -> int:
    """A call to a service that reports; `answer` takes the subsegment's id and the arrival."""
    with scope.subsegment(url.split("/")[2], "remote") as called:
        called.entity.put_http_meta("method", method)
        called.entity.put_http_meta("url", url)
        called.wait(latency.NETWORK)
        status, end = answer(called.entity.id, called.now)
        called.reach(end)
        called.wait(latency.NETWORK)
        called.entity.put_http_meta("status", status)
    return status


def fetch_outside(scope: Scope, method: str, url: str, takes: Latency, status: int) -> None:
    """A call to a service that reports no segments."""
    with scope.subsegment(url.split("/")[2], "remote") as called:
        called.entity.put_http_meta("method", method)
        called.entity.put_http_meta("url", url)
        called.wait(takes)
        called.entity.put_http_meta("status", status)
        called.entity.put_http_meta("content_length", 312)
