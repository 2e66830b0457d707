"""Insights: this server computes none, whatever a group's InsightsConfiguration says.

Requests are checked as AWS checks them (docs/xray-format.md §9.2).
"""

from __future__ import annotations

import re
from typing import Any

from api.context import Context
from api.errors import ApiError
from api.request import JsonBody
from api.xray.groups import requested_group

Json = dict[str, Any]

MAX_SUMMARIES, MAX_EVENTS = 100, 50
MAX_TOKEN = 2000
STATES = ("ACTIVE", "CLOSED")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.I)


def get_insight_summaries(context: Context, body: JsonBody) -> Json:
    """GetInsightSummaries: an empty list for every group that exists."""
    requested_group(context, body, required=True)
    body.window()
    states = body.texts("States") if body.has("States") else []
    if len(states) > 1 or any(state not in STATES for state in states):
        raise ApiError(f"States may have one element of {', '.join(STATES)}, got {states}")
    _check_page(body, MAX_SUMMARIES)
    return {"InsightSummaries": []}


def get_insight(_: Context, body: JsonBody) -> Json:
    """GetInsight: an error, as this server computes no insights."""
    raise _unknown(body)


def get_insight_events(_: Context, body: JsonBody) -> Json:
    """GetInsightEvents: an error, as this server computes no insights."""
    _check_page(body, MAX_EVENTS)
    raise _unknown(body)


def get_insight_impact_graph(_: Context, body: JsonBody) -> Json:
    """GetInsightImpactGraph: an error, as this server computes no insights."""
    body.window()
    raise _unknown(body)


def _unknown(body: JsonBody) -> ApiError:
    """The error for an insight, as none exists, or for what cannot be the id of one."""
    id = body.required_text("InsightId")
    if not _ID.fullmatch(id):
        return ApiError(f"InsightId must be a UUID, got {id!r}")
    return ApiError(f"InsightId: there is no insight {id}; this server computes none")


def _check_page(body: JsonBody, most: int) -> None:
    if body.has("MaxResults"):
        body.whole("MaxResults", least=1, most=most)
    if body.text("NextToken", most=MAX_TOKEN):
        raise ApiError("this NextToken was not given by this server")
