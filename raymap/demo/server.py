"""Requests to the server's API, with the key in RAYMAP_TOKEN if there is one. What is not taken is lost."""

from __future__ import annotations

import http.client
import json
import os

from raymap.demo.deliveries import TIMEOUT


def request(address: str, method: str, path: str, body: object = None) -> int:
    """The status of the answer; 0 without one. ``address``: host:port."""
    token = os.environ.get("RAYMAP_TOKEN", "")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return response.status
