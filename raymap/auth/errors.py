"""Refused requests: what they are answered. What is wrong with a credential is in the metrics only."""

from __future__ import annotations

from raymap.auth.quotas import Exceeded


class AuthError(Exception):
    """A refused request: HTTP status, an error code as AWS names it, a sentence, and after how many
    seconds it may be repeated, if that is known."""

    def __init__(
        self, status: int, code: str, message: str, reason: str, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.status = status
        self.code = code
        self.message = message
        self.reason = reason


def missing() -> AuthError:
    """The refusal of a request without credentials."""
    message = (
        "this server needs a key: Authorization: Bearer, x-api-key, or an AWS signature; "
        "people sign in"
    )
    return AuthError(401, "MissingAuthenticationToken", message, "missing")


def invalid(reason: str) -> AuthError:
    """The refusal of credentials. The response does not tell what is wrong with them."""
    return AuthError(401, "UnrecognizedClient", "the credentials are not accepted", reason)


def invalid_link(reason: str) -> AuthError:
    """The refusal of a share link, whatever is wrong with it."""
    message = "this link is not valid: it has expired, was revoked, or is incomplete"
    return AuthError(401, "InvalidShareLink", message, reason)


def beyond_link() -> AuthError:
    """The refusal of a request that is not part of what a share link shows."""
    message = "the link shows one trace or one map only; this is not part of it"
    return AuthError(403, "AccessDenied", message, "forbidden")


def over_limit(exceeded: Exceeded) -> AuthError:
    """The refusal of a key that has exceeded a limit."""
    message = f"the key has exceeded its limit of {exceeded.limit}; try again in {exceeded.wait} s"
    return AuthError(429, "ThrottledException", message, "limited", exceeded.wait)


def unread() -> AuthError:
    """The refusal of every request until what is accepted is known."""
    message = "the keys have not been read from the database yet; try again"
    return AuthError(503, "ServiceUnavailable", message, "keys_unavailable", retry_after=1)
