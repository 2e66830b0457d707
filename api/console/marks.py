"""Deployments as marks on charts over time: a line each, with a text above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from api.console.charts import iso
from api.context import Context
from api.schemas.common import Figure, JsonObject
from store.deployments import Deployment
from store.model import NodeKey, TimeRange
from store.rules.namespaces import goes_by

MOST_MARKS = 20
"""Deployments in a chart, the latest ones: more hide the chart."""
LONGEST = 24
"""Characters of the words above a line."""


def deployments_of(
    context: Context,
    window: TimeRange,
    services: Mapping[NodeKey, frozenset[str]] = MappingProxyType({}),
) -> list[Deployment]:
    """The latest deployments of nodes (with the names they go by), and of those that name no service; without
    ``services`` of all."""
    return [
        each
        for each in context.store.deployments(window, limit=1000)
        if not services
        or not each.service
        or any(goes_by(each.service, *pair) for pair in services.items())
    ][:MOST_MARKS]


def with_marks(figure: Figure, deployments: Sequence[Deployment]) -> Figure:
    """The figure with deployments."""
    if not deployments:
        return figure
    layout = {
        **figure["layout"],
        "shapes": [_line(each) for each in deployments],
        "annotations": [_text(each) for each in deployments],
    }
    return {"data": figure["data"], "layout": layout}


def _line(deployment: Deployment) -> JsonObject:
    at = iso(deployment.at)
    return {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1}


def _text(deployment: Deployment) -> JsonObject:
    words = " ".join(filter(None, (deployment.service, _version(deployment.version))))
    about = (words, deployment.state, deployment.environment, deployment.note)
    return {
        "x": iso(deployment.at),
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "showarrow": False,
        "text": _plain(_cut(words or deployment.state or "deployed")),
        "hovertext": _plain(" · ".join(filter(None, about))),
    }


def _version(text: str) -> str:
    """As the console has it (`versionWords`): a bare number does not say what it counts."""
    return f"v{text}" if text[:1].isdigit() else text


def _cut(words: str) -> str:
    """As much as stands beside others; its end, which the version is, stays."""
    return words if len(words) <= LONGEST else f"…{words[1 - LONGEST :]}"


def _plain(text: str) -> str:
    """Plotly reads markup in texts."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
