"""Problems: what is not as usual, since when, whom it reaches, and why (docs/problems.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.errors import ApiError
from api.graph.build import node_id
from api.openapi_parts import json_body
from api.problems.evidence import STATES
from api.problems.record import Record, read
from api.problems.render import details_of, line_of
from api.problems.watch import NEEDED
from api.request import JsonBody, read_body, window_of
from api.schemas.problems import ProblemDetails, ProblemLine, ProblemList
from api.v1.graph import span
from api.v1.params import From, To, moment
from api.v1.part import v1_part
from store.alarms import DAY_MINUTES
from store.config import records
from store.config.change import Contended, change
from store.config.protocol import Change, Configuration
from store.model import TimeRange
from store.problems import MAX_MUTES, Mute
from store.protocol import Store
from store.query import UnitQuery
from store.times import MINUTE, SECOND
from store.trace_id import format_trace_id

MAX_BODY = 4_000
MOST = 200
MOST_ACTIVE = 200
"""Problems that last, of which the worst come first; no more than 50 are stored at a time (`api.problems.watch`)."""
EXAMPLES = 3
LONGEST_MUTE = 7 * DAY_MINUTES
"""Minutes."""
Limit = Annotated[int, Query(ge=1, le=MOST, description="problems in the answer")]
StateFilter = Annotated[
    Literal["active", "closed", ""], Query(description="only those that last, or that have ended")
]


def problems_router(context: Context) -> APIRouter:
    """/api/v1/problems."""
    router = v1_part()

    @router.get("/problems", response_class=Response, responses={200: {"model": ProblemList}})
    async def list_problems(
        request: Request,
        start: From = "-24h",
        end: To = "now",
        state: StateFilter = "",
        limit: Limit = 20,
    ) -> Response:
        """Problems that lasted at some time of a window, by default of the last day."""
        now = context.now() // SECOND * SECOND
        window = window_of(moment(start, "from", now), moment(end, "to", now), "from", "to")
        return await run_cancellable(
            request, lambda: json_response(problem_list(context, window, state, limit))
        )

    @router.get(
        "/problems/{id}", response_class=Response, responses={200: {"model": ProblemDetails}}
    )
    async def get_problem(request: Request, id: str) -> Response:
        """A problem with its symptoms, what has happened to it, and three of its traces."""
        return await run_cancellable(request, lambda: json_response(problem_details(context, id)))

    @router.post(
        "/problems/{id}/mute",
        response_class=Response,
        responses={200: {"model": ProblemLine}},
        openapi_extra=json_body({"minutes": 60}),
    )
    async def mute_problem(request: Request, id: str) -> Response:
        """Mute what begins at the origin of a problem for some `minutes`, at most a week; 0 ends it. It is recorded as ever."""
        body = JsonBody.parse(await read_body(request, MAX_BODY))
        minutes = body.whole("minutes", least=0, most=LONGEST_MUTE)
        return await run_cancellable(
            request, lambda: json_response(_mute(context, known_problem(context, id), minutes))
        )

    return router


def problem_list(context: Context, window: TimeRange, state: str, limit: int) -> ProblemList:
    """The problems of a window: those that last, the worst first, then the latest that have ended."""
    found = _found(context.store, window, state, limit)
    mutes = _mutes(context.store.read_configuration(), context.now())
    now = context.now() // MINUTE
    return {
        **span(window),
        "minutes_counted": context.store.counted_minutes(now - DAY_MINUTES, now),
        "minutes_needed": NEEDED,
        "judged_until": context.judged_until() or None,
        "problems": [line_of(each, mutes) for each in found],
    }


def first_problem(context: Context, window: TimeRange) -> Record | None:
    """The first problem of a window's list that is not muted."""
    mutes = _mutes(context.store.read_configuration(), context.now())
    every = _found(context.store, window, "", MOST)
    return next((each for each in every if node_id(each.problem.origin) not in mutes), None)


def _found(store: Store, window: TimeRange, state: str, limit: int) -> list[Record]:
    found: list[Record] = []
    if state != "closed":
        found = [read(each) for each in store.find_problems(window, active=True, limit=MOST_ACTIVE)]
        found = sorted(found, key=lambda each: -each.problem.impact)[:limit]
    if state != "active" and len(found) < limit:
        ended = store.find_problems(window, active=False, limit=limit - len(found))
        found += map(read, ended)
    return found


def problem_details(context: Context, id: str) -> ProblemDetails:
    """One problem; ApiError (404) when there is none."""
    record = known_problem(context, id)
    mutes = _mutes(context.store.read_configuration(), context.now())
    return details_of(record, mutes, _examples(context, record))


def known_problem(context: Context, id: str) -> Record:
    """A problem by its id; ApiError (404) when there is none."""
    try:
        found = context.store.get_problem(UUID(id))
    except ValueError:
        found = None
    if found is None:
        raise ApiError(f"there is no problem {id[:100]!r}", code="NoSuchProblem", status=404)
    return read(found)


def _examples(context: Context, record: Record) -> list[str]:
    """The newest affected traces of the origin; of calls that are missing none."""
    main = record.problem.main
    if main.measure.is_calls:
        return []
    end = record.ended or record.updated
    states = frozenset({STATES[main.measure]} if main.measure in STATES else ())
    query = UnitQuery(
        TimeRange(record.since, max(end, record.since + MINUTE)),
        frozenset({record.problem.origin}),
        states=states,
    )
    found = context.store.find_units(query, limit=EXAMPLES).found
    return [format_trace_id(each.trace_id) for each in found]


def _mutes(configuration: Configuration, now: int) -> dict[str, Mute]:
    """Those in force, by the id of the node."""
    found = records.read(configuration, Mute)
    return {name: each for name, each in found.items() if each.until > now}


def _mute(context: Context, record: Record, minutes: int) -> ProblemLine:
    origin = record.problem.origin
    name = node_id(origin)

    def decide(configuration: Configuration, now: int) -> tuple[dict[str, Mute], Sequence[Change]]:
        every, valid = records.read(configuration, Mute), _mutes(configuration, now)
        changes = [records.remove(each, Mute) for each in every if each not in valid]
        if not minutes:
            if name in valid:
                del valid[name]
                changes.append(records.remove(name, Mute))
            return valid, changes
        if name not in valid and len(valid) >= MAX_MUTES:
            raise ApiError(f"{MAX_MUTES} nodes are muted, the most there can be")
        valid[name] = Mute(origin, now + minutes * MINUTE)
        return valid, [*changes, records.put(name, valid[name])]

    try:
        mutes = change(context.store, decide, context.clock)
    except Contended as error:
        raise ApiError(str(error), code="Conflict", status=409) from None
    return line_of(record, mutes)
