"""The tool that answers what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from api.schemas.problems import ProblemLine
from raymap.contrib.mcp.answer import RowsOf, clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.parameters import End, Start
from raymap.contrib.mcp.window import describe, instant, parse_window

_MORE = "{left} more problems: take a shorter window."


def problem_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def problems(start: Start = "-24h", end: End = "now") -> Annotated[str, RowsOf(ProblemLine)]:
        """What fails more, is slower, or is called less or more than usual: where it begins, since when, by how much,
        which callers and entries it reaches, the commonest exception, and what changed just before. Those that last come
        first, the worst first.
        """
        found = client.get("/api/v1/problems", {**parse_window(start, end), "limit": 100})
        lines = [_problem(each) for each in found["problems"]]
        until = found.get("judged_until")
        judged = f", judged until {instant(until)} UTC" if until else ""
        about = f"Problems, {describe(found)}{judged}."
        rows = [{**each, "series": None} for each in found["problems"]]
        return table([about], lines or [_none(found)], _MORE, rows)

    return [problems]


def _none(found: Mapping[str, Any]) -> str:
    """What is said where no problem is known, in the console's words (`noneWords` of ui/src/model/problems.ts)."""
    counted, needed = found["minutes_counted"], found["minutes_needed"]
    if counted < needed:
        return f"Learning what is usual: {counted} of {needed} minutes"
    if found.get("judged_until") is None:
        return "No problem is known: nothing was judged yet"
    return "Nothing unusual"


def _problem(each: Mapping[str, Any]) -> str:
    lasted = f"since {instant(each['since'])} UTC"
    if each["ended"]:
        lasted += f" until {instant(each['ended'])} UTC"
    parts = [f"{each['state']} {lasted}: {clean(each['text'])}"]
    clients = each["clients"]
    if clients["total"]:
        parts.append(f"{clients['fault']} of {clients['total']} requests of clients failed")
    if each["exception"]:
        exception = each["exception"]
        parts.append(
            f"{clean(exception['name'])} in {exception['traces']} of {exception['read']} failing traces"
        )
    if each["failures_begin_at"]:
        parts.append(f"traces begin to fail at {clean(each['failures_begin_at']['name'])}")
    parts += [
        f"before: {clean(change['what'])} at {instant(change['at'])}" for change in each["changes"]
    ]
    if each["muted_until"]:
        parts.append("muted")
    return "; ".join(parts)
