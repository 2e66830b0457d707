"""Whether a guard around the app lets who sent a request change what people configure."""

from __future__ import annotations

from starlette.requests import Request

MAY_EDIT = "raymap.may_edit"
"""Where in the ASGI scope a guard says whether who sent a request may change what people configure."""


def may_edit(request: Request) -> bool:
    """Whether who sent the request may change what people configure; without a guard everyone may."""
    return bool(request.scope.get(MAY_EDIT, True))
