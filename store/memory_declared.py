"""The reference implementation of `store.declared.model.DeclarationStore`, on a dictionary."""

from __future__ import annotations

from store.declared.model import Declaration, Declared, StackKey


class MemoryDeclarations:
    """Declarations by key. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._declarations: dict[StackKey, Declared] = {}

    def put_declaration(self, declaration: Declaration, at: int) -> None:
        """Remember it."""
        self._declarations[declaration.key] = Declared(declaration, at)

    def remove_declaration(self, key: StackKey, at: int) -> bool:
        """Forget it."""
        return self._declarations.pop(key, None) is not None

    def declarations(self) -> list[Declared]:
        """By key."""
        return [each for _, each in sorted(self._declarations.items(), key=lambda item: item[0])]
