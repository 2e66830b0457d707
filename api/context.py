"""What routes share: the store, the clock, callbacks into the rest of the server, and how blocking
work is run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.graph.arrangement import Arrangements
from api.graph.known_groupings import KnownGroupings
from api.reach import ANYWHERE, Destinations
from api.recent_graphs import RecentGraph
from api.sampling import Sampler
from api.single_flight import Flight, SingleFlight
from api.store_probe import StoreProbe
from store.graph import ServiceGraph
from store.model import TimeRange
from store.protocol import CountedWindow, Store
from store.query import settled_behind
from store.times import SECOND
from store.together import together

Result = TypeVar("Result")
A = TypeVar("A")
B = TypeVar("B")

JSON = "application/json"

WHOLE = "all"
"""The name of the whole map's arrangement, in windows of any length."""
FOLDED = " folded"
"""Ends the name of the arrangement of a folded map."""
WHOLE_MAPS = (WHOLE, WHOLE + FOLDED)
SETTLE_SECONDS = 30.0
"""How long a parent may be stored after its child: SDKs send a segment when it ends, so a child
precedes its parent by the rest of the parent's work, and by a batch's linger."""


LIVE_SECONDS = 5.0
"""How far from now the end of a window may lie for it to be live: a refresh, or a browser's clock."""


class Answer(NamedTuple):
    """A body with headers of its own."""

    body: object
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Thresholds:
    """From when on consoles call a service unhealthy: the share of its requests that failed, and
    their number; both must be reached."""

    share: float
    count: int


DEFAULT_THRESHOLDS = Thresholds(0.05, 2)
MAX_GROUPS = 1000
"""Groups besides Default; X-Ray's limit is 25 (docs/xray-format.md §14)."""


@dataclass(frozen=True)
class Context:
    """Dependencies of the routes, built once by `api.app.create_app`."""

    store: Store
    version: str
    sampler: Sampler
    clock: Callable[[], float]
    metrics: Callable[[], bytes]
    ingest_status: Callable[[], Mapping[str, Any]]
    oldest_waiting: Callable[[int], float]
    """Age in seconds of the oldest document that is not stored, as of a second of the clock."""
    probe: StoreProbe
    ingest_health: Callable[[], dict[str, Any]] | None
    """Whether this process accepts documents, as /readyz shows it; None without receivers."""
    judged_until: Callable[[], float] = lambda: 0.0
    """Until when (epoch seconds) problems have been searched for; 0: it is not known."""
    graphs: SingleFlight = field(default_factory=SingleFlight)
    """Graphs being computed."""
    unhealthy: Thresholds = DEFAULT_THRESHOLDS
    log_link: str = ""
    """Template of links to log lines elsewhere (`api.log_links`); empty for none."""
    webhooks: Destinations = ANYWHERE
    """Where webhooks of alarms may go."""
    max_groups: int = MAX_GROUPS
    threads: Executor = field(default_factory=lambda: ThreadPoolExecutor(8, "read"))
    """Further threads for work that `both` does."""
    arrangements: Arrangements = field(default_factory=Arrangements)
    """The layouts of the maps that consoles show."""
    map_boxes: str = "auto"
    """By what large maps are drawn in boxes (`api.graph.groups.By`), "auto" or "none"; consoles may choose otherwise."""
    groupings: KnownGroupings = field(default_factory=KnownGroupings)
    """How the nodes of the last large graph were grouped."""
    recent: RecentGraph[Any] = field(default_factory=RecentGraph)
    """The last large graph that a console was shown (`api.console.counted_graph.CountedGraph`)."""

    def service_graph(self, window: TimeRange) -> ServiceGraph:
        """The graph to draw: without clients of roots whose parents may still arrive."""
        return self.store.service_graph(window, settled_before=self.settled_before())

    def counted_window(self, window: TimeRange) -> CountedWindow:
        """The graph to draw of a window, or of the whole minutes that are counted instead."""
        return self.store.counted_window(window, settled_before=self.settled_before())

    def counted_windows(self, windows: Sequence[TimeRange]) -> list[CountedWindow]:
        """`counted_window` of each, read together."""
        return self.store.counted_windows(windows, settled_before=self.settled_before())

    def now(self) -> int:
        """The clock's instant in microseconds."""
        return round(self.clock() * 1e6)

    def settled_before(self) -> int:
        """When a root must have begun at the latest (microseconds) for its parent, if unknown, to
        be missing rather than late."""
        waiting = round(self.oldest_waiting(int(self.clock())) * SECOND)
        return settled_behind(self.now() - round(SETTLE_SECONDS * SECOND), waiting)

    def both(self, work: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
        """The results of independent work that waits for the store, done at the same time."""
        works: tuple[Callable[[], Any], ...] = work, other
        first, second = together(self.threads, *works)
        return first, second

    async def share_graph(
        self, request: Request, key: Hashable, work: Callable[[], object]
    ) -> Response:
        """The JSON of a graph, computed once for all concurrent requests with an equal ``key``."""
        body, headers = await self.graphs.run(request, key, lambda: _encoded(work()))
        return Response(body, headers=headers, media_type=JSON)

    async def share_window(
        self,
        request: Request,
        key: Hashable,
        window: TimeRange,
        work: Callable[[TimeRange], object],
    ) -> Response:
        """As `share_graph` for the graph of a window.

        Windows that end now are requested by every open console, a second apart: of those with one
        start, one is counted at a time, and a request is answered with an end up to some seconds
        later than its own, which the body must state.
        """
        if abs(window.end / 1e6 - self.clock()) > LIVE_SECONDS:
            return await self.share_graph(request, (key, window), lambda: work(window))
        body = await self.graphs.run_live(
            request,
            (key, window.start),
            window.end,
            lambda end: msgspec.json.encode(work(TimeRange(window.start, end))),
        )
        return Response(body, media_type=JSON)


async def run_cancellable(request: Request, work: Callable[[], Result]) -> Result:
    """Run blocking work in a thread. When the client disconnects, cancel its store queries.

    The request's body must have been read. Raises ClientDisconnected.
    """
    return await Flight(work).wait(request)


def json_response(answer: object, *, status: int = 200) -> Response:
    """A body or an `Answer` encoded as JSON."""
    body, headers = _encoded(answer)
    return Response(body, status, headers, media_type=JSON)


def _encoded(answer: object) -> tuple[bytes, Mapping[str, str]]:
    body, headers = answer if isinstance(answer, Answer) else (answer, {})
    return msgspec.json.encode(body), headers
