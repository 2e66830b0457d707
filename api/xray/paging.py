"""NextTokens of lists in order of a key: they name the last element of a page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from api.errors import ApiError
from api.request import JsonBody

Element = TypeVar("Element")


def paged(
    name: str,
    elements: Sequence[Element],
    body: JsonBody,
    *,
    key: Callable[[Element], str],
    size: int,
    render: Callable[[Element], Any] = lambda element: element,
) -> dict[str, Any]:
    """The page after the body's NextToken: ``size`` elements of a list in ascending order of key."""
    after = decode_token(body)
    rest = [element for element in elements if after is None or key(element) > after]
    page = rest[:size]
    answer: dict[str, Any] = {name: [render(element) for element in page]}
    if len(rest) > size:
        answer["NextToken"] = encode_token(key(page[-1]))
    return answer


def encode_token(key: str) -> str:
    """A token that continues after a key."""
    return base64.urlsafe_b64encode(b"after:" + key.encode()).decode()


def decode_token(body: JsonBody) -> str | None:
    """The key in the body's NextToken, None without one. Raises ApiError for any other text."""
    token = body.text("NextToken")
    if not token:
        return None
    try:
        text = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        text = ""
    if not text.startswith("after:"):
        raise ApiError("this NextToken was not given by this server")
    return text.removeprefix("after:")
