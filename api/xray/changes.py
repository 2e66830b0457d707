"""Changing the configuration through X-Ray's API, and its errors."""

from __future__ import annotations

from api.context import Context
from api.errors import ApiError
from store.config.change import Contended, Decide, Result
from store.config.change import change as apply_change


def change(context: Context, decide: Decide[Result]) -> Result:
    """Apply what ``decide`` makes of the newest configuration. Raises ApiError: its own, and 429 if
    others change it too often."""
    try:
        result = apply_change(context.store, decide, context.clock)
    except Contended as error:
        raise throttled(str(error)) from None
    context.sampler.forget()
    return result


def throttled(message: str) -> ApiError:
    """X-Ray's error for too many requests; SDKs repeat such a request."""
    return ApiError(message, code="Throttled", status=429)


def not_found(message: str, resource: str) -> ApiError:
    """X-Ray's error for a resource that does not exist."""
    return ApiError(
        message, code="ResourceNotFound", status=404, members={"ResourceName": resource}
    )
