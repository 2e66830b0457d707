"""Tools that read what the server judged: alarms, versions, and what templates declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.alarms import AlarmLine
from api.schemas.declared import Status as DeclaredStatus
from api.schemas.v1 import VerdictCheck
from raymap.contrib.mcp.answer import RowsOf, clean, table
from raymap.contrib.mcp.client import Client
from raymap.contrib.mcp.parameters import End, Start
from raymap.contrib.mcp.window import describe, instant, parse_window


class Declared(TypedDict):
    """A resource or a call, and whether templates and traffic agree about it."""

    what: Literal["resource", "call"]
    name: Annotated[str, Field(description="of a call: source → target")]
    status: DeclaredStatus
    stacks: list[str]
    why: str


def judgement_tools(client: Client) -> list[Callable[..., str]]:
    """Functions whose signatures and docstrings are what clients see."""

    def alarms(
        state: Annotated[
            Literal["", "OK", "ALARM", "INSUFFICIENT_DATA"],
            Field(description="Only in this state."),
        ] = "",
    ) -> Annotated[str, RowsOf(AlarmLine)]:
        """Alarms that are set up on this server: their rule in words, their state, and the change that led to it with its
        reason. Those that fire come first.
        """
        found = client.get("/api/v1/alarms", {})["alarms"]
        order = {"ALARM": 0, "INSUFFICIENT_DATA": 1, "OK": 2}
        chosen = [each for each in found if state in ("", each["state"])]
        chosen.sort(key=lambda each: (order[each["state"]], each["name"]))
        about = f"{len(chosen)} of {len(found)} alarms."
        return table(
            [about],
            [_alarm(each) for each in chosen] or ["none"],
            "{left} more: pass state.",
            chosen,
        )

    def verdict(
        service: Annotated[str, Field(description="Name of the service or function.")],
        candidate: Annotated[str, Field(description="The version that is judged.")],
        baseline: Annotated[
            str, Field(description="Compared with; by default the one with most requests.")
        ] = "",
        start: Start = "-1h",
        end: End = "now",
    ) -> Annotated[str, RowsOf(VerdictCheck)]:
        """Whether a version of a service does worse than another: pass, fail or insufficient (too little traffic, no pass),
        by failures, response times and calls, with examples. `stats` with by=version lists the versions.
        """
        window = parse_window(start, end)
        query = {**window, "service": service, "candidate": candidate, "baseline": baseline}
        found = client.get("/api/v1/verdict", query)
        lines = [f"reason: {clean(each)}" for each in found["reasons"]]
        lines += [f"check: {clean(each['text'])}" for each in found["checks"]]
        lines += [f"calls to {clean(each['name'])}: {each['kind']}" for each in found["edges"]]
        lines += [f"example {id}" for id in found["examples"]]
        old, new = found["baseline"], found["candidate"]
        about = (
            f"{found['verdict']}: {clean(service)}, {describe(window)}: version {clean(new['version'])} "
            f"({new['requests']:g} requests) against {clean(old['version'] or 'no other')} ({old['requests'] or 0:g})."
        )
        return table([about], lines or ["no check"], "{left} more lines.", found["checks"])

    def declared(
        status: Annotated[
            Literal["", "seen", "never_seen", "undeclared", "unknown"],
            Field(description="Only these; by default what differs: never_seen and undeclared."),
        ] = "",
        start: Start = "-24h",
        end: End = "now",
    ) -> Annotated[str, RowsOf(Declared)]:
        """What templates (CloudFormation, SAM) declare against what the traffic shows: resources and calls that are declared
        and were never seen, and those that were seen and no template allows. Nothing if no stack was declared.
        """
        window = parse_window(start, end)
        found = client.get("/api/v1/declarations/compare", dict(window))
        wanted = (status,) if status else ("never_seen", "undeclared")
        rows = [_declared(each) for each in (*found["nodes"], *found["edges"])]
        rows = [each for each in rows if each["status"] in wanted]
        counts = ", ".join(f"{n} {name}" for name, n in found["counts"].items())
        about = f"{len(found['stacks'])} declared stacks against {describe(window)}: {counts}."
        lines = [
            f"{each['status']} {each['what']} {clean(each['name'])} "
            f"({clean(', '.join(each['stacks']) or 'no stack')}): {clean(each['why'])}"
            for each in rows
        ]
        return table([about], lines or ["none"], "{left} more: pass status.", rows)

    return [alarms, verdict, declared]


def _alarm(alarm: Mapping[str, Any]) -> str:
    last = alarm["last"]
    since = f" since {instant(last['at'])} UTC: {clean(last['reason'])}" if last else ""
    where = ", ".join(clean(node["name"]) for node in last["nodes"]) if last else ""
    parts = [f"{alarm['state']} {clean(alarm['name'])}: {clean(alarm['rule'])}{since}"]
    return "; ".join([*parts, *([f"at {where}"] if where else [])])


def _declared(each: Mapping[str, Any]) -> Declared:
    is_call = "source" in each
    name = f"{each['source_name']} → {each['target_name']}" if is_call else each["name"]
    return {
        "what": "call" if is_call else "resource",
        "name": name,
        "status": each["status"],
        "stacks": list(each["stacks"]),
        "why": each["why"],
    }
