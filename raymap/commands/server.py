"""Requests of the commands to a running server, and what they say when it refuses or none answers."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from raymap.errors import CommandError

TOKEN = "RAYMAP_TOKEN"
"""The variable with the key of a server that requires one. Not a flag, which others could read."""
JSON = "application/json"
TIMEOUT = 60.0
"""Seconds until a request is given up."""
RETRY_FOR = 60.0
"""Seconds in which a document is sent again while the server answers 503."""


class Refused(CommandError):
    """The server answered with an error status; the message is the server's own."""

    def __init__(self, to: str, status: int, message: str, position: int | None = None) -> None:
        super().__init__(f"{to} refused the request: {message} (HTTP {status})")
        self.status, self.said, self.position = status, message, position


def no_raymap(to: str) -> CommandError:
    """What to raise when the answer is not one of Raymap's."""
    return CommandError(f"What answers at {to} is no Raymap's HTTP port: name another with --url.")


def get_json(
    to: str,
    path: str,
    query: Mapping[str, object],
    *,
    timeout: float = TIMEOUT,
    token: str | None = None,
) -> Any:
    """The JSON that the server at ``to``, a URL or HOST:PORT, answers to a GET. ``token``: instead of RAYMAP_TOKEN.

    Raises Refused, and CommandError when no Raymap answers.
    """
    body = _send(to, f"{path}?{urlencode(query)}", None, "", timeout=timeout, token=token)
    try:
        return json.loads(body)
    except ValueError:
        raise no_raymap(to) from None


def post(
    to: str,
    path: str,
    body: bytes,
    media: str = JSON,
    *,
    patience: float | None = None,
) -> bytes:
    """The answer to a POST, which is repeated for ``patience`` seconds, by default `RETRY_FOR`, while the
    server has no room. Raises as `get_json`."""
    deadline = time.monotonic() + (RETRY_FOR if patience is None else patience)
    while True:
        try:
            return _send(to, path, body, media, timeout=TIMEOUT)
        except Refused as refusal:
            if refusal.status != 503 or time.monotonic() >= deadline:
                raise
            time.sleep(1.0)


def delete(to: str, path: str) -> None:
    """Send a DELETE. Raises as `get_json`."""
    _send(to, path, None, "", timeout=TIMEOUT, method="DELETE")


def _send(
    to: str,
    path: str,
    body: bytes | None,
    media: str,
    *,
    timeout: float,
    method: str | None = None,
    token: str | None = None,
) -> bytes:
    server = (to if "://" in to else f"http://{to}").rstrip("/")
    headers = _authorization(token) | ({"Content-Type": media} if media else {})
    try:
        request = urllib.request.Request(server + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return bytes(reply.read())
    except urllib.error.HTTPError as error:
        raise Refused(to, error.code, *_message_of(error)) from None
    except (http.client.HTTPException, ValueError):
        raise no_raymap(to) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        raise CommandError(
            f"No Raymap answers at {to} ({reason}): start one with  raymap serve  "
            f"or name another with --url."
        ) from None


def _authorization(token: str | None) -> dict[str, str]:
    key = os.environ.get(TOKEN, "") if token is None else token
    return {"Authorization": f"Bearer {key}"} if key else {}


def _message_of(error: urllib.error.HTTPError) -> tuple[str, int | None]:
    """Our own API's, or X-Ray's form of an error; and the position in a filter expression."""
    try:
        content = json.load(error)
        if "Message" in content:
            return str(content["Message"]), None
        return str(content["error"]["message"]), content["error"].get("position")
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(error.reason), None
