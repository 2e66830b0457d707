"""What a guard around the app says of who sent a request: their name, and whether they may change what people configure."""

from __future__ import annotations

from starlette.requests import Request

MAY_EDIT = "raymap.may_edit"
"""Where in the ASGI scope a guard says whether who sent a request may change what people configure."""
SIGNED_IN = "raymap.signed_in"
"""Where in it a guard has the name of who sent a request."""


def may_edit(request: Request) -> bool:
    """Whether who sent the request may change what people configure; without a guard everyone may."""
    return bool(request.scope.get(MAY_EDIT, True))


def name_of(request: Request) -> str:
    """Who sent the request; "" without a guard."""
    return str(request.scope.get(SIGNED_IN, ""))
