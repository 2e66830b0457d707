"""Changing the configuration: read it, decide, write; decide again if another process was faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from api.context import Context
from api.errors import ApiError
from store.config.protocol import Change, Configuration

Result = TypeVar("Result")
Decide = Callable[[Configuration, int], tuple[Result, Sequence[Change]]]
"""(configuration, now in microseconds) → what to return and what to change. Raises ApiError."""

TRIES = 20


def change(context: Context, decide: Decide[Result]) -> Result:
    """Apply what ``decide`` makes of the newest configuration. Raises ApiError (429) if others
    change it too often."""
    for _ in range(TRIES):
        configuration = context.store.read_configuration()
        now = round(context.clock() * 1_000_000)
        result, changes = decide(configuration, now)
        if not changes or context.store.change_configuration(
            changes, after=configuration.revision, at=now
        ):
            context.sampler.forget()
            return result
    raise throttled("the configuration is being changed by others; try again")


def throttled(message: str) -> ApiError:
    """X-Ray's error for too many requests; SDKs repeat such a request."""
    return ApiError(message, code="Throttled", status=429)


def not_found(message: str, resource: str) -> ApiError:
    """X-Ray's error for a resource that does not exist."""
    return ApiError(
        message, code="ResourceNotFound", status=404, members={"ResourceName": resource}
    )
