"""Shapes of /api/v1/notebooks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Instant, reply

EntryKind = Literal["words", "view", "trace", "problem"]


class NotebookFigures(TypedDict):
    """What an entry showed when it was added; it does not change."""

    title: str
    facts: Annotated[list[tuple[str, str]], Field(description="names and values")]
    columns: list[str]
    rows: list[list[str]]
    states: Annotated[
        list[str], Field(description="of each row: ok, error, throttle, fault, in_progress")
    ]
    edges: Annotated[
        list[tuple[int, int, str]],
        Field(description="of a map: calls from row to row, from 0, and their number"),
    ]
    bars: Annotated[
        list[tuple[float, float]],
        Field(description="of a trace: where a row begins and how long it takes, as shares of it"),
    ]
    depths: Annotated[list[int], Field(description="of a trace: how deep a row is")]
    left_out: Annotated[int, Field(description="rows that there were besides")]
    is_empty: Annotated[bool, Field(description="nothing was counted")]


class NotebookEntryLine(TypedDict):
    """An entry: words, or a view, a trace or a problem with words."""

    id: str
    kind: EntryKind
    at: Annotated[
        float, Field(description="the time that it is about, by which entries are sorted")
    ]
    text: Annotated[str, Field(description="Markdown; empty without words")]
    path: Annotated[
        str, Field(description="address in the console of what it shows; empty of words")
    ]
    figures: NotebookFigures | None
    expired: Annotated[bool, Field(description="the traces that it shows are not stored any more")]
    added: Instant
    modified: Instant
    by: Annotated[str, Field(description="who changed it last; empty where no one signs in")]


class NotebookHead(TypedDict):
    """A notebook without its entries."""

    id: str
    title: str
    revision: Annotated[int, Field(description="from 1; to be sent with the next change")]
    created: Instant
    modified: Instant
    by: Annotated[str, Field(description="who changed it last; empty where no one signs in")]


class NotebookLine(NotebookHead):
    """A notebook in a list."""

    entries: Annotated[int, Field(description="how many")]


@reply
class NotebookList(TypedDict):
    """All notebooks, the one that was changed last first."""

    notebooks: list[NotebookLine]
    most: Annotated[int, Field(description="how many there can be")]


@reply
class NotebookReply(NotebookHead):
    """A notebook with its entries."""

    entries: Annotated[list[NotebookEntryLine], Field(description="in order of their time")]
    most: Annotated[int, Field(description="how many entries it can have")]
