"""Where keywords have a meaning: outside of blocks, in service(){…}, edge(){…} or rootcause…{…}."""

from __future__ import annotations

from store.filters.ast import (
    And,
    Bare,
    Compare,
    EdgeMatch,
    Exists,
    Expression,
    Field,
    Not,
    OneOf,
    Or,
    RootCauseMatch,
    ServiceMatch,
)
from store.filters.errors import FilterError
from store.filters.keywords import ANNOTATION, ANNOTATION_SCOPE, KEYWORDS, Scope

_PLACES = {
    Scope.TRACE: "outside of blocks",
    Scope.SERVICE: "in service(){…}",
    Scope.EDGE: "in edge(){…}",
    Scope.ROOT_CAUSE: "in rootcause…{…}",
}


class Positions:
    """Where the parts of an expression begin in its text. The tree itself has no positions, so that equal
    expressions are equal."""

    def __init__(self) -> None:
        self._begin: dict[int, tuple[Expression, int]] = {}

    def add(self, expression: Expression, position: int) -> None:
        """Remember a part. It is referenced, so that no other object gets its identity."""
        self._begin[id(expression)] = expression, position

    def of(self, expression: Expression) -> int:
        """Where a part begins."""
        return self._begin[id(expression)][1]


def check_scope(expression: Expression, scope: Scope, positions: Positions) -> None:
    """Raise FilterError for the first keyword that has no meaning where it stands."""
    match expression:
        case And(terms) | Or(terms):
            for term in terms:
                check_scope(term, scope, positions)
        case Not(term):
            check_scope(term, scope, positions)
        case Bare(field) | Exists(field) | Compare(field=field) | OneOf(field=field):
            _check_field(field, scope, positions.of(expression))
        case _ if scope is not Scope.TRACE:
            message = "service(), edge() and rootcause cannot stand inside a block"
            raise FilterError(message, positions.of(expression))
        case ServiceMatch(condition=condition) if condition is not None:
            check_scope(condition, Scope.SERVICE, positions)
        case EdgeMatch(condition=condition) if condition is not None:
            check_scope(condition, Scope.EDGE, positions)
        case RootCauseMatch(condition=condition):
            check_scope(condition, Scope.ROOT_CAUSE, positions)


def _check_field(field: Field, scope: Scope, position: int) -> None:
    allowed = ANNOTATION_SCOPE if field.keyword == ANNOTATION else KEYWORDS[field.keyword].scope
    if not allowed & scope:
        places = " or ".join(_PLACES[each] for each in Scope if each & allowed)
        raise FilterError(f"{field} has a meaning only {places}", position)
