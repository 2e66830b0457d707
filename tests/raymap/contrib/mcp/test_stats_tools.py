"""The tool that counts by dimensions, against a server's answer."""

from __future__ import annotations

from typing import Any, cast

from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.stats_tools import stats_tools


class Answering:
    def __init__(self, **more: Any) -> None:
        self.query: dict[str, Any] = {}
        group = {
            "values": ["gold", None],
            "traces": 3,
            "metrics": {"count": 3, "p95": None, "fault_share": 0.25},
            "filter": "fault",
            "status": "throttle",
        }
        self.answer = {
            "from": 0.0,
            "to": 60.0,
            "of": "traces",
            "by": ["annotation[tier]", "user"],
            "examined": 4,
            "complete": True,
            "bound": None,
            "counted_from": 0.0,
            "groups_total": 1,
            "total": {"traces": 4, "metrics": {"count": 4}},
            "groups": [group],
            **more,
        }

    def get(self, path: str, query: dict[str, Any]) -> Any:
        self.query = query
        return self.answer


def test_a_line_of_a_group_ends_with_its_filter() -> None:
    client = Answering()
    (stats,) = stats_tools(cast("Client", client))
    answer = stats(by="annotation.tier,user")
    assert "annotation[tier] gold, user (none): count 3, fault_share 0.25; 3 traces" in answer
    assert "filter: fault with status=throttle" in answer
    assert client.query["of"] == "traces"


def test_what_was_not_counted_is_said() -> None:
    client = Answering(complete=False, bound="traces", counted_from=30.0, groups_total=9)
    (stats,) = stats_tools(cast("Client", client))
    answer = stats()
    assert "Only the traces since 1970-01-01 00:00:30 UTC were counted" in answer
    assert "8 more groups" in answer
