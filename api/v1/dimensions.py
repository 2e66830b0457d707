"""By what traces, or requests, may be counted in a window."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.context import Context, json_response, run_cancellable
from api.schemas.v1 import StatsDimension, StatsDimensions
from api.v1.graph import span
from api.v1.params import Window
from api.v1.part import v1_part
from api.v1.stats import NAMES, Of
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
