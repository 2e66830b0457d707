"""HTTP to a running server: GET and POST of JSON, with errors that say what to do."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mcp.server.mcpserver.exceptions import ToolError

TIMEOUT = 60.0
"""Seconds after which a question is given up."""
CALLER: ContextVar[str | None] = ContextVar("caller", default=None)
"""The `Authorization` of the one who calls over HTTP: sent instead of a token of this process, also if it is empty."""


@dataclass(frozen=True, slots=True)
class Client:
    """A server. ``token`` is sent as a bearer token unless it is empty."""

    url: str
    token: str = ""

    def get(self, path: str, query: Mapping[str, object]) -> Any:
        """The JSON of a GET; parameters that are empty are left out. Raises ToolError."""
        given = {name: value for name, value in query.items() if value not in ("", None)}
        return self._send(urllib.request.Request(f"{self.url}{path}?{urlencode(given)}"))

    def _send(self, request: urllib.request.Request) -> Any:
        own = f"Bearer {self.token}" if self.token else ""
        caller = CALLER.get()
        if authorization := own if caller is None else caller:
            request.add_header("Authorization", authorization)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise ToolError(_refusal(error)) from None
        except (http.client.HTTPException, ValueError):
            raise ToolError(f"What answers at {self.url} is no Raymap.") from None
        except OSError as error:
            reason = getattr(error, "reason", error)
            raise ToolError(f"No Raymap answers at {self.url} ({reason}).") from None


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The server answered HTTP {error.code} {error.reason}."
