"""The errors of every store. ``api.errors`` maps them to HTTP statuses."""

from __future__ import annotations


class StoreError(Exception):
    """An operation failed. The message is the database's own, so that it can be searched for."""


class DataRefused(StoreError):
    """The database refuses a value in the data: without it, the same call succeeds."""


class StoreUnavailable(StoreError):
    """The database cannot be reached at the moment; the same call may succeed later."""


class QueryLimitExceeded(StoreError):
    """A query needs more time or memory than one may take; one about less may succeed."""


class SchemaMismatch(StoreUnavailable):
    """The database has a schema that this program cannot use: nothing is read or written until it fits."""


class InvalidCursor(StoreError):
    """A page token that this store did not issue."""


class TraceNotFound(StoreError):
    """The trace is not stored."""


class TooManyPins(StoreError):
    """The limit of pinned traces is reached."""


class TooManyTraces(StoreError):
    """A window has too many traces for what was requested of each of them."""
