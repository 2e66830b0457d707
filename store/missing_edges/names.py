"""Which service a call means that nothing answers: by the names that services report under and are reached at.

Never by likeness: a name is that of a service, one by which a caller reached it in a trace that joins the two, or the
host of a URL that it answered. Of a host inside a cluster or a house, the first label is the service's name by
construction. What may be any of several is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from store.model import Call, Kind, NodeKey, OwnedCall, Trace
from store.otel.hosts import is_loopback
from store.places import REMOTE
from store.rules.invocations import FUNCTION, SERVICE

CALLED_BY_NAME = ("", REMOTE)
"""Types of inferred nodes that may be a service which reports under another type."""
_INSIDE = (".svc", ".svc.cluster.local", ".local", ".internal", ".consul")
"""End hosts whose first label is the name of a service."""


class Services:
    """The services that report in a window, by their names and hosts."""

    def __init__(self, names: Mapping[NodeKey, Iterable[str]]) -> None:
        """``names``: of each node that reported itself those that it goes by, and by which callers reach it."""
        self._nodes: dict[str, set[NodeKey]] = {}
        self._functions: dict[str, set[NodeKey]] = {}
        self._accounts = {node.account for node in names}
        for node, each in names.items():
            named = self._functions if node.type in (FUNCTION, SERVICE) else self._nodes
            for name in {node.name, *each}:
                named.setdefault(name.lower(), set()).add(node)

    def add_hosts(self, traces: Iterable[Trace]) -> None:
        """Learn at which hosts services are reached, from the URLs of their requests."""
        for trace in traces:
            for document in trace.documents.values():
                if document.independent or document.kind not in (
                    Kind.NONE,
                    Kind.SERVER,
                ):
                    continue
                if host := _host_in(document.http.url):
                    self._nodes.setdefault(host, set()).add(document.node)

    def called(self, owned: OwnedCall, caller: NodeKey) -> NodeKey | None:
        """The service that a call means; None if there is none, or more than one."""
        if owned.call.node.type == SERVICE:
            found = self._functions.get(owned.call.node.name.lower(), set())
            service = {node for node in found if node.type == SERVICE} or found
            return _only(service - {caller}, owned.call.node)
        return self._named(owned.call.node, owned.call.host, caller)

    def meant_by(self, inferred: NodeKey) -> NodeKey | None:
        """The service that an inferred node of the map means."""
        return self._named(inferred, "", inferred)

    def _named(self, called: NodeKey, host: str, caller: NodeKey) -> NodeKey | None:
        if called.type not in CALLED_BY_NAME:
            return None
        for name in _names_of(called.name, host):
            if found := self._nodes.get(name, set()) - {caller}:
                return _only(found, called)
        return None

    def reports_elsewhere(self, call: Call, place: NodeKey, caller: NodeKey) -> bool:
        """Whether what a call leads to reports to another account or tenant: the caller says that it is traced, or it is
        a function of an account of which nothing is here."""
        if call.traced:
            return not self._nodes.get(call.node.name.lower())
        is_function = place.type == SERVICE and bool(place.account and caller.account)
        return is_function and place.account not in self._accounts


def _only(found: Iterable[NodeKey], called: NodeKey) -> NodeKey | None:
    places = [
        node
        for node in found
        if (not called.account or called.account == node.account or not node.account)
        and (not called.region or called.region == node.region or not node.region)
    ]
    return places[0] if len(places) == 1 else None


def _names_of(*known: str) -> Iterable[str]:
    """The names by which a call knows what it leads to, the surest first."""
    for name in dict.fromkeys(each.lower() for each in known if each):
        host = name.partition(" (")[0].removeprefix("http://").removeprefix("https://")
        bare, _, port = host.partition(":")
        if is_loopback(bare):
            if port:
                yield f"localhost:{port}"
            continue
        yield bare
        if bare.endswith(_INSIDE):
            yield bare.partition(".")[0]


def _host_in(url: str) -> str:
    """The host of a URL; of this machine with the port, without which it is that of any process."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not is_loopback(host):
        return host.lower()
    return f"localhost:{port}" if port else ""
