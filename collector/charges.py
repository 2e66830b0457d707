"""What a request has brought is reported to what limits its sender, if anything does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import NamedTuple

from collector.payloads import Decoded
from store.columnar import ColumnarDocuments
from store.model import Document

CHARGE: ContextVar[Callable[[Decoded], None] | None] = ContextVar("charge", default=None)
"""Set around a request by what has authenticated it; called with the documents before they are stored."""


class Sender(NamedTuple):
    """Whose request it is: a tenant, empty for the default one, and its key. No key: it is not known."""

    tenant: str = ""
    key: str = ""


UNKNOWN = Sender()
SENDER: ContextVar[Sender] = ContextVar("sender", default=UNKNOWN)
"""Set with the charge."""


def charge(decoded: Decoded) -> None:
    """Report the documents of the request in whose context this runs."""
    report = CHARGE.get()
    if report is not None:
        report(decoded)


def names_of(documents: Sequence[Document]) -> set[str]:
    """The names of the nodes that documents report."""
    if isinstance(documents, ColumnarDocuments):
        return {node.name for columns in documents.columns for node in columns.nodes}
    return {document.node.name for document in documents}
