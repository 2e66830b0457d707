"""Completion of filter expressions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import reply


class Completion(TypedDict):
    """A value for a filter expression."""

    value: str | float | bool
    count: Annotated[int, Field(description="traces with it; of a service, requests")]


@reply
class CompletionList(TypedDict):
    """Values that occur, the most frequent first."""

    completions: list[Completion]
