"""Every format of a request has all that it needs."""

from __future__ import annotations

from collector.payloads import REQUESTS
from collector.redaction import redactor
from raymap.commands import journal


def test_each_format_is_redacted_and_can_be_sent_elsewhere() -> None:
    """What is missing would be noticed only by a request with a secret, or by a journal that is moved."""
    assert set(redactor._JSON) | set(redactor._PROTOBUF) == set(REQUESTS)
    assert set(journal._PATHS) == set(REQUESTS)
