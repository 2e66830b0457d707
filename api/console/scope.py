"""Account, region and environment as filters: the parameters that every filtered route has."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from store.filters.ast import And, Compare, Expression, Field, Or

MOST = 200
ACCOUNT = Query(max_length=MOST, description="only traces with a service of this account")
REGION = Query(max_length=MOST, description="only traces with a service of this region")
ENVIRONMENT = Query(
    max_length=MOST, description="only traces of this environment (docs/deployments.md)"
)


class Scope(NamedTuple):
    """Which account, region and environment are selected; '' is any."""

    account: str = ""
    region: str = ""
    environment: str = ""

    def expression(self, annotation: str) -> Expression | None:
        """As a filter; ``annotation``: the key of one that names the environment, too."""
        terms: list[Expression] = []
        if self.account:
            terms.append(Compare(Field("account.id"), "=", self.account))
        if self.region:
            terms.append(Compare(Field("region"), "=", self.region))
        if environment := self.of_environment(annotation):
            terms.append(environment)
        return And(tuple(terms)) if terms else None

    def of_environment(self, annotation: str) -> Expression | None:
        """The part of the expression that is about the environment."""
        if not self.environment:
            return None
        of = [Field("environment"), *([Field("annotation", annotation)] if annotation else [])]
        return Or(tuple(Compare(field, "=", self.environment) for field in of))


def _scope(
    account: Annotated[str, ACCOUNT] = "",
    region: Annotated[str, REGION] = "",
    environment: Annotated[str, ENVIRONMENT] = "",
) -> Scope:
    return Scope(account, region, environment)


Scoped = Annotated[Scope, Depends(_scope)]


def _scope_expression(request: Request, scope: Scoped) -> Expression | None:
    return scope.expression(request.app.state.environment_annotation)


ScopeExpression = Annotated[Expression | None, Depends(_scope_expression)]


def _environment_expression(
    request: Request, environment: Annotated[str, ENVIRONMENT] = ""
) -> Expression | None:
    return Scope(environment=environment).of_environment(request.app.state.environment_annotation)


EnvironmentExpression = Annotated[Expression | None, Depends(_environment_expression)]


def within(scope: Scope, expression: Expression | None, request: Request) -> Expression | None:
    """An expression that is to hold within a scope, too."""
    scoped = _scope_expression(request, scope)
    if scoped is None or expression is None:
        return scoped or expression
    return And((scoped, expression))
