"""The contract of a store: what stacks declare."""

from __future__ import annotations

from store.declared.model import Call, Declaration, Declared, Evidence, Resource, StackKey
from store.protocol import Store
from tests.builders import T0

SHOP = Declaration(
    "shop",
    "123456789012",
    "eu-west-1",
    "dev",
    "template.yaml",
    (Resource("Fn", "AWS::Lambda::Function", "fn-ü'\\"), Resource("T", "AWS::DynamoDB::Table")),
    (Call("Fn", "T", (Evidence.POLICY, Evidence.ENVIRONMENT)),),
    ("a note",),
)
ELSEWHERE = Declaration("shop", "123456789012", "us-east-1")
OTHER = Declaration("billing")


class DeclarationContract:
    """`DeclarationStore`."""

    def test_declarations_are_listed_by_key(self, store: Store) -> None:
        """A stack of two regions is two."""
        assert store.declarations() == []
        for at, each in enumerate((ELSEWHERE, SHOP, OTHER)):
            store.put_declaration(each, T0 + at)
        assert store.declarations() == [
            Declared(OTHER, T0 + 2),
            Declared(SHOP, T0 + 1),
            Declared(ELSEWHERE, T0),
        ]

    def test_a_stack_that_is_declared_again_is_replaced(self, store: Store) -> None:
        store.put_declaration(SHOP, T0)
        again = Declaration(*SHOP.key, template="other.yaml")
        store.put_declaration(again, T0 + 1)
        assert store.declarations() == [Declared(again, T0 + 1)]

    def test_declarations_are_removed(self, store: Store) -> None:
        store.put_declaration(SHOP, T0)
        store.put_declaration(OTHER, T0)
        assert store.remove_declaration(SHOP.key, T0 + 1)
        assert not store.remove_declaration(SHOP.key, T0 + 2)
        assert not store.remove_declaration(StackKey("billing", "1", ""), T0 + 2)
        assert store.declarations() == [Declared(OTHER, T0)]
        store.put_declaration(SHOP, T0 + 3)
        assert store.declarations() == [Declared(OTHER, T0), Declared(SHOP, T0 + 3)]
