"""Refuses query parameters that a route does not have, or that are repeated: a misspelt filter would
otherwise select all."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from fastapi import Request
from fastapi.dependencies.models import Dependant

from api.errors import ApiError
from store.filters.keywords import ANNOTATION, KEYWORDS

FILTER = "filter"
_FILTERED = {*KEYWORDS, "service", "edge"}
_ANNOTATION = (f"{ANNOTATION}.", f"{ANNOTATION}[")


def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of whole routers; ApiError (400) names the parameter and what was probably meant."""
    known = parameters_of(request.scope["route"].dependant)
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise ApiError(_refusal(name, known), code="UnknownParameter")
        if name in seen:
            raise ApiError(f"{name} is given more than once; expected one value")
        seen.add(name)


def parameters_of(dependant: Dependant) -> list[str]:
    """The names of query parameters, those of dependencies included."""
    inner = (name for each in dependant.dependencies for name in parameters_of(each))
    return list(dict.fromkeys([*inner, *(field.alias for field in dependant.query_params)]))


def _refusal(name: str, known: Sequence[str]) -> str:
    shown = repr(name[:60])
    if not known:
        return f"unknown parameter {shown}; this path has none"
    return f"unknown parameter {shown}{_suggestion(name, known)}; known are {', '.join(known)}"


def _suggestion(name: str, known: Sequence[str]) -> str:
    """The nearest parameter, or the filter expression that selects by such a name."""
    keyword = name.lower()
    if FILTER in known and (keyword in _FILTERED or keyword.startswith(_ANNOTATION)):
        wanted = f'{name}("…")' if name in ("service", "edge") else f"{name} = …"
        return f" (perhaps {FILTER}={wanted})"
    near = difflib.get_close_matches(name.lower(), known, 1)
    return f" (perhaps {near[0]})" if near else ""
