"""The commands that read a running server: typer commands and nothing else, as in `raymap.cli`."""

from __future__ import annotations

from typing import Annotated

import typer

from raymap.options import WindowEnd, WindowStart, option
from raymap.ready_pipe import exit_on_error

read_app = typer.Typer()


def _address(context: typer.Context, url: str) -> str:
    """``--url``; of the environment only if no ``--context`` is given, as a flag is more than a variable."""
    sources = [context.get_parameter_source(name) for name in ("url", "context")]
    named = [source.name if source else "" for source in sources] == ["ENVIRONMENT", "COMMANDLINE"]
    return "" if named else url


Url = Annotated[
    str,
    option(
        "--url",
        metavar="URL",
        callback=_address,
        show_default="the context's, else http://127.0.0.1:2000",
        help="Where the server listens.",
    ),
]
ContextName = Annotated[
    str,
    option(
        "--context",
        metavar="NAME",
        show_default="the one in use",
        help="As raymap context list shows it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Filter = Annotated[
    str,
    typer.Option(
        "--filter", metavar="EXPR", show_default=False, help="Only of traces that satisfy it."
    ),
]
TraceFilter = Annotated[
    str,
    typer.Argument(
        metavar="[FILTER]", show_default=False, help='Like  service("orders") { fault }'
    ),
]
GroupBy = Annotated[
    str,
    typer.Option(
        "--group-by",
        metavar="DIMENSION",
        show_default=False,
        help="Split services by version, environment, region, method, status or operation.",
    ),
]
Sort = Annotated[
    str, typer.Option("--sort", metavar="COLUMN", help="fault, requests, p95 or name.")
]


def _check_sort(sort: str) -> None:
    from raymap.commands.read_map import SORTS

    if sort not in SORTS:
        raise typer.BadParameter(f"{sort!r}: expected {', '.join(SORTS)}", param_hint="--sort")


@read_app.command("map")
def map_command(
    filter: Filter = "",
    start: WindowStart = "-1h",
    end: WindowEnd = "now",
    group_by: GroupBy = "",
    as_json: AsJson = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """Print the service map of a running server as a tree."""
    with exit_on_error():
        from raymap.commands.read_map import print_map
        from raymap.commands.reading import reading

        query = {"filter": filter, "start": start, "end": end, "group_by": group_by}
        with reading(url, context, filter) as client:
            print_map(client, query, as_json=as_json)


@read_app.command()
def services(
    find: Annotated[
        str, typer.Argument(metavar="[PART]", show_default=False, help="Part of a name or type.")
    ] = "",
    filter: Filter = "",
    start: WindowStart = "-1h",
    end: WindowEnd = "now",
    group_by: GroupBy = "",
    sort: Sort = "fault",
    as_json: AsJson = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """List the services of a running server, those with most faults first."""
    _check_sort(sort)
    with exit_on_error():
        from raymap.commands.read_map import print_services
        from raymap.commands.reading import reading

        query = {"q": find, "filter": filter, "start": start, "end": end, "group_by": group_by}
        with reading(url, context, filter) as client:
            print_services(client, query, sort, as_json=as_json)


@read_app.command()
def top(
    filter: Filter = "",
    start: WindowStart = "-5m",
    sort: Sort = "fault",
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", min=1, help="Between two looks.")
    ] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, once.")] = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """Watch the services of a running server; Ctrl-C ends it."""
    _check_sort(sort)
    with exit_on_error():
        from raymap.commands.read_map import print_services
        from raymap.commands.read_map import top as watch
        from raymap.commands.reading import reading

        query = {"filter": filter, "start": start, "end": "now"}
        with reading(url, context, filter) as client:
            if as_json:
                print_services(client, query, sort, as_json=True)
            else:
                watch(client, query, sort, every)


@read_app.command()
def traces(
    filter: TraceFilter = "",
    start: WindowStart = "-1h",
    end: WindowEnd = "now",
    status: Annotated[
        str,
        typer.Option(
            "--status",
            metavar="STATUS",
            show_default=False,
            help="Of the entry: ok, error, throttle, fault.",
        ),
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Traces.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """List traces of a running server, newest first."""
    with exit_on_error():
        from raymap.commands.read_traces import print_traces
        from raymap.commands.reading import reading

        query = {"filter": filter, "start": start, "end": end, "status": status}
        with reading(url, context, filter) as client:
            print_traces(client, query, limit, as_json=as_json)


@read_app.command()
def trace(
    id: Annotated[str, typer.Argument(metavar="TRACE_ID", help="X-Ray's or W3C's form.")],
    as_json: AsJson = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """Print a trace of a running server as a waterfall."""
    with exit_on_error():
        from raymap.commands.read_traces import print_trace
        from raymap.commands.reading import reading

        with reading(url, context) as client:
            print_trace(client, id, as_json=as_json)


@read_app.command()
def tail(
    filter: TraceFilter = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """Print traces of a running server as they become complete; Ctrl-C ends it."""
    with exit_on_error():
        from raymap.commands.read_traces import tail as follow
        from raymap.commands.reading import reading

        with reading(url, context, filter) as client:
            follow(client, {"filter": filter}, as_json=as_json)


@read_app.command()
def stats(
    filter: TraceFilter = "",
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="DIMENSIONS",
            show_default=False,
            help="Like service,annotation.tier; also operation, state, method, status, version, user, exception.",
        ),
    ] = "",
    metrics: Annotated[
        str,
        typer.Option(
            "--metrics", metavar="NAMES", help="count, per_minute, fault, error_share, avg, p99, …"
        ),
    ] = "count,fault_share,p50,p95",
    of: Annotated[
        str,
        typer.Option(
            "--of", metavar="WHAT", show_default=False, help="traces, or requests of services."
        ),
    ] = "",
    node: Annotated[
        str,
        typer.Option(
            "--node", metavar="NAME", show_default=False, help="Only requests of this service."
        ),
    ] = "",
    start: WindowStart = "-1h",
    end: WindowEnd = "now",
    sort: Annotated[
        str,
        typer.Option("--sort", metavar="COLUMN", help="One of the metrics, the greatest first."),
    ] = "count",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Groups.")] = 50,
    links: Annotated[
        bool,
        typer.Option("--links", help="Print the filter that selects the traces of each group."),
    ] = False,
    as_json: AsJson = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """Count traces, or requests, of a running server by any dimensions."""
    with exit_on_error():
        from raymap.commands.read_stats import print_stats
        from raymap.commands.reading import reading

        query = {
            "filter": filter,
            "by": by,
            "metrics": metrics,
            "of": of,
            "node": node,
            "start": start,
            "end": end,
            "sort": sort,
            "limit": limit,
        }
        with reading(url, context, filter) as client:
            print_stats(client, query, as_json=as_json, links=links)


@read_app.command()
def compare(
    then: Annotated[
        str,
        typer.Option(
            "--then",
            metavar="PERIOD",
            show_default="before",
            help="before, yesterday, week, deployment, deployment:ID, problem, problem:ID, or when it begins.",
        ),
    ] = "",
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="DIMENSIONS",
            show_default=False,
            help="Two sides of one time, by one of version, environment, account, region, operation, method, status, filter.",
        ),
    ] = "",
    side: Annotated[
        str,
        typer.Option(
            "--side",
            metavar="VALUE",
            show_default="the second commonest",
            help="Of --by; of filter an expression.",
        ),
    ] = "",
    other: Annotated[
        str,
        typer.Option(
            "--other", metavar="VALUE", show_default="the commonest", help="It is compared with."
        ),
    ] = "",
    filter: Filter = "",
    start: WindowStart = "-1h",
    end: WindowEnd = "now",
    as_json: AsJson = False,
    url: Url = "",
    context: ContextName = "",
) -> None:
    """Compare two periods of a running server's map, or two versions, environments, accounts or filters."""
    with exit_on_error():
        from raymap.commands.read_comparison import print_comparison
        from raymap.commands.reading import reading

        sides = {"then": then, "by": by, "side": side, "other": other}
        query = {**sides, "filter": filter, "start": start, "end": end}
        with reading(url, context, filter) as client:
            print_comparison(client, query, as_json=as_json)
