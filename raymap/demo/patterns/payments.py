"""Taking money: an SQL transaction and a call to a provider that is not ours."""

from __future__ import annotations

from raymap.demo import latency
from raymap.demo.failures import PaymentDeclined, PaymentProviderError
from raymap.demo.http import fetch_outside
from raymap.demo.latency import Latency
from raymap.demo.trace import Scope

DATABASE = "orders@shop.cluster-c9x2k1.eu-west-1.rds.amazonaws.com"
PROVIDER = "https://payments.example.com/v2/charges"
BRANDS = {"visa": 40, "mastercard": 30, "amex": 30}
"""Brands of cards, in percent of the charges."""
AILING_BRAND = "amex"
"""The one that the provider cannot charge when it is ailing."""


def charge(scope: Scope, order: str) -> int:
    """The handler: record the intent, charge, record the result."""
    with scope.subsegment("## charge") as handler:
        (brand,) = scope.trace.random.choices(list(BRANDS), list(BRANDS.values()))
        handler.entity.put_annotation("order_id", order)
        handler.entity.put_annotation("card_brand", brand)
        handler.wait(latency.CODE)
        _query(handler, "INSERT INTO payments (order_id, state) VALUES (?, ?)", latency.SQL_QUERY)
        try:
            _ask_provider(handler, brand)
        except PaymentDeclined as declined:
            handler.failed(declined)
            _query(handler, "UPDATE payments SET state = ? WHERE order_id = ?", latency.SQL_QUERY)
            return 402
        _query(handler, "UPDATE payments SET state = ? WHERE order_id = ?", latency.SQL_COMMIT)
    return 200


def _ask_provider(scope: Scope, brand: str) -> None:
    """Twice at most: the first failure is forgiven."""
    ailing = brand == AILING_BRAND and scope.trace.calendar.payments_ailing(scope.now)
    takes = latency.PAYMENT_PROVIDER.times(5.0) if ailing else latency.PAYMENT_PROVIDER
    for _attempt in range(2):
        status = _weather(scope, ailing)
        fetch_outside(scope, "POST", PROVIDER, takes, status)
        if status == 402:
            raise PaymentDeclined("The card was declined: insufficient funds")
        if status == 200:
            return
        scope.wait(Latency(0.2, 0.2))
    raise PaymentProviderError(f"{PROVIDER} answered {status}")


def _weather(scope: Scope, ailing: bool) -> int:
    draw = scope.trace.random.random()
    if draw < (0.9 if ailing else 0.01):
        return 503
    if draw < (0.97 if ailing else 0.015):
        return 429
    return 402 if draw > 0.97 else 200


def _query(scope: Scope, query: str, takes: Latency) -> None:
    with scope.subsegment(DATABASE, "remote") as call:
        call.entity.set_sql(
            {
                "url": f"postgresql://{DATABASE.partition('@')[2]}:5432/orders",
                "database_type": "PostgreSQL",
                "database_version": "17.2",
                "driver_version": "3.2.3",
                "user": "payments",
                "preparation": "statement",
                "sanitized_query": query,
            }
        )
        call.wait(takes)
