"""What traces of a window have and may be selected or counted by: dimensions, annotations, accounts, regions and environments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.counted import freshness
from api.schemas.v1 import (
    AnnotationKeys,
    AnnotationValues,
    PlaceList,
    StatsDimension,
    StatsDimensions,
    ValueCount,
)
from api.v1.graph import span
from api.v1.params import MOST, Window
from api.v1.part import v1_part
from api.v1.stats import NAMES, Of
from store import query
from store.document_values import value_text
from store.filters.ast import Field
from store.filters.group_by import MOST_KEYS, key_names
from store.filters.keywords import ANNOTATION
from store.model import TimeRange

MOST_ANNOTATIONS = 100
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)
OF = Query(description="traces, or requests of services, which have no exception and no cause")


def dimensions_router(context: Context) -> APIRouter:
    """/api/v1/stats/dimensions."""
    router = v1_part()

    @router.get(
        "/stats/dimensions", response_class=Response, responses={200: {"model": StatsDimensions}}
    )
    async def list_dimensions(
        request: Request, window: Window, of: Annotated[Of, OF] = "traces"
    ) -> Response:
        """Dimensions that `by` of /api/v1/stats takes, with the annotations that occur in a window, the commonest first,
        and the metrics."""
        return await run_cancellable(
            request, lambda: json_response(dimensions(context, window, of))
        )

    return router


def dimensions(context: Context, window: TimeRange, of: Of) -> StatsDimensions:
    """The names for `by`."""
    names: list[StatsDimension] = [
        {"name": name, "traces": None} for name in key_names(of_units=of == "requests")
    ]
    keys = context.store.annotation_keys(window, limit=MOST_ANNOTATIONS)
    names += [{"name": _annotation(value_text(key)), "traces": traces} for key, traces in keys]
    return {
        **span(window),
        "of": of,
        "dimensions": names,
        "most": MOST_KEYS,
        "metrics": list(NAMES),
    }


def _annotation(key: str) -> str:
    return f"{ANNOTATION}.{key}" if _PLAIN.fullmatch(key) else str(Field(ANNOTATION, key))


Limit = Annotated[int, Query(ge=1, le=MOST, description="values in the answer")]
PREFIX = Query(max_length=200, description="what the values begin with")


def annotations_router(context: Context) -> APIRouter:
    """/api/v1/annotations and /api/v1/annotations/<key>."""
    router = v1_part()

    @router.get("/annotations", response_class=Response, responses={200: {"model": AnnotationKeys}})
    async def list_annotation_keys(
        request: Request, window: Window, limit: Limit = 100
    ) -> Response:
        """Keys of annotations, and how many traces have them."""
        return await run_cancellable(
            request, lambda: json_response(annotation_keys(context, window, limit))
        )

    @router.get(
        "/annotations/{key:path}",
        response_class=Response,
        responses={200: {"model": AnnotationValues}},
    )
    async def list_annotation_values(
        request: Request,
        key: str,
        window: Window,
        prefix: Annotated[str, PREFIX] = "",
        limit: Limit = 100,
    ) -> Response:
        """Values of an annotation, and how many traces have them, of at most 500,000 documents."""
        return await run_cancellable(
            request, lambda: json_response(annotation_values(context, key, window, prefix, limit))
        )

    return router


def annotation_keys(context: Context, window: TimeRange, limit: int) -> AnnotationKeys:
    """The most frequent keys of annotations."""
    found = context.store.annotation_keys(window, limit=limit)
    return {**span(window), "keys": _counts(found)}


def annotation_values(
    context: Context, key: str, window: TimeRange, prefix: str, limit: int
) -> AnnotationValues:
    """The most frequent values of an annotation; none for an unknown key."""
    field = Field("annotation", key)
    found = context.store.field_values(field, window, prefix=prefix, limit=limit)
    return {**span(window), "key": key, "values": _counts(found)}


def _counts(found: Iterable[query.ValueCount]) -> list[ValueCount]:
    return [{"value": value, "traces": traces} for value, traces in found]


MOST_PLACES = 100


def places_router(context: Context, environment_annotation: str) -> APIRouter:
    """/api/v1/places."""
    router = v1_part()

    @router.get("/places", response_class=Response, responses={200: {"model": PlaceList}})
    async def list_places(request: Request, window: Window) -> Response:
        """Accounts and regions of the services of a window, and environments of its traces."""
        return await run_cancellable(
            request, lambda: json_response(place_list(context, window, environment_annotation))
        )

    return router


def place_list(context: Context, window: TimeRange, annotation: str) -> PlaceList:
    """What a window has; environments by the number of their traces, of at most 500,000 documents."""
    counted = context.counted_window(window)
    nodes = counted.graph.services
    fields = [Field("environment"), *([Field("annotation", annotation)] if annotation else [])]
    traces: Counter[str] = Counter()
    for field in fields:
        for value, count in context.store.field_values(field, window, prefix="", limit=MOST_PLACES):
            if isinstance(value, str):
                traces[value] = max(traces[value], count)
    return {
        **span(window),
        **freshness(window, counted.backlog),
        "accounts": sorted({node.account for node in nodes if node.account})[:MOST_PLACES],
        "regions": sorted({node.region for node in nodes if node.region})[:MOST_PLACES],
        "environments": [
            {"value": value, "traces": count} for value, count in traces.most_common(MOST_PLACES)
        ],
    }
