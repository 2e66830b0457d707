"""Shapes of /api/v1/views."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Instant, reply

ViewPage = Literal["map", "traces", "compare"]


@reply
class SavedViewLine(TypedDict):
    """A saved view: a name for an address of the console."""

    name: str
    page: ViewPage
    query: Annotated[str, Field(description="what follows the ? of the page's address")]
    path: Annotated[str, Field(description="the address itself, without the server's")]
    revision: Annotated[int, Field(description="from 1; to be sent with the next change")]
    created: Instant
    modified: Instant
    by: Annotated[str, Field(description="who saved it last; empty where no one signs in")]


@reply
class SavedViewList(TypedDict):
    """All saved views by name."""

    views: list[SavedViewLine]
    most: Annotated[int, Field(description="how many there can be")]
