"""Attributes that are not stored follow from their annotations, byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from store.otel.attribute_field import field_of, follows_from
from store.otel.attributes import read_value
from store.otel.span_facts import annotations_of
from store.rules.annotations import annotation_item
from store.varint import varint

TEXTS = st.text(max_size=200) | st.sampled_from(["", "a=b", "a%3Db", 'q"', "b\\", "é" * 80])
VALUES = st.one_of(
    st.builds(AnyValue, string_value=TEXTS),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, double_value=st.floats() | st.integers(-300, 300).map(float)),
    st.builds(AnyValue, bytes_value=st.binary(max_size=9)),
)


def field(message: bytes) -> bytes:
    return b"\x4a" + varint(len(message)) + message


@given(TEXTS, VALUES, st.booleans())
def test_what_follows_is_what_was_sent(key: str, value: AnyValue, reverse: bool) -> None:
    parts = [KeyValue(key=key).SerializeToString(), KeyValue(value=value).SerializeToString()]
    sent = field(b"".join(reversed(parts) if reverse else parts))
    for name, one in annotations_of({key: read_value(value)}).items():
        item = annotation_item(name, one)
        if follows_from(item, name, one, sent):
            assert field_of(item) == sent


def test_what_serializers_write_follows() -> None:
    for key, value in (
        ("http.route", AnyValue(string_value="/orders/é")),
        ("http.response.status_code", AnyValue(int_value=503)),
        ("messaging.kafka.offset", AnyValue(int_value=-1)),
        ("tls.resumed", AnyValue(bool_value=False)),
    ):
        (one,) = annotations_of({key: read_value(value)}).values()
        sent = field(KeyValue(key=key, value=value).SerializeToString())
        assert follows_from(annotation_item(key, one), key, one, sent)
