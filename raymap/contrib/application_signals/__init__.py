"""What Application Signals' clients read and declare (docs/clients.md): services, operations, dependencies, service level
objectives. Shapes of AWS's model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.plugins import Plugin

if TYPE_CHECKING:
    from fastapi import APIRouter

    from api.context import Context

READS = frozenset(
    {
        *((method, path) for method in ("GET", "HEAD") for path in ("/services", "/slo/")),
        *(
            ("POST", path)
            for path in (
                *("/service", "/service-operations", "/service-dependencies"),
                *("/service-dependents", "/slos", "/budget-report"),
            )
        ),
    }
)
"""AWS has its operations at the root."""
EDITS = frozenset({("POST", "/slo"), ("PATCH", "/slo/"), ("DELETE", "/slo/")})


def _routes(context: Context) -> APIRouter:
    from raymap.contrib.application_signals.router import application_signals_router

    return application_signals_router(context)


plugin = Plugin("application_signals", _routes, reads=READS, edits=EDITS)
