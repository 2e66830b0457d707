"""What the API process of a tenant is made of."""

from __future__ import annotations

from typing import Literal

import pytest

from api.reach import Destinations
from raymap.settings import ApiSettings
from raymap.tenants.service import destinations


@pytest.mark.parametrize(
    ("auth", "public_only"), [("off", False), ("ingest-warn", True), ("on", True)]
)
def test_webhooks_stay_outside_where_editors_are_not_the_operator(
    auth: Literal["off", "ingest-warn", "on"], public_only: bool
) -> None:
    assert destinations(ApiSettings(auth=auth)) == Destinations((), public_only)
    named = ApiSettings(auth=auth, webhook_host="a.example, *.internal")
    assert destinations(named) == Destinations(("a.example", "*.internal"), public_only)
