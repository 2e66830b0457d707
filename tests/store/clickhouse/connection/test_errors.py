"""Which driver errors are transient."""

from __future__ import annotations

from clickhouse_driver import errors as driver_errors

from store.clickhouse.connection.errors import is_transient


def test_transient_errors_are_distinguished_from_refusals() -> None:
    assert is_transient(driver_errors.NetworkError("gone"))
    assert is_transient(driver_errors.SocketTimeoutError("slow"))
    assert is_transient(EOFError("Unexpected EOF while reading bytes"))
    assert is_transient(ConnectionResetError())
    assert is_transient(driver_errors.ServerException("too many", 202))
    assert not is_transient(driver_errors.ServerException("unknown table", 60))
    assert not is_transient(driver_errors.ServerException("wrong password", 516))
    assert not is_transient(ValueError("a bug"))
