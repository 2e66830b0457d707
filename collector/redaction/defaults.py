"""The rules that apply unless they are turned off, and what else keys say of their values.

Query parameters: OpenTelemetry's semantic conventions for ``url.full`` and ``url.query`` (August 2026), which
also want no userinfo in URLs; those of sign-ins (RFC 6749, OpenID Connect) beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector.redaction.rules import Detect, Rule

_VARIANTS = (
    *("hash", "hashed", "digest", "value", "string", "plain", "plaintext", "raw", "header"),
    *("encoded", "base64", "b64", "encrypted", "old", "new", "current", "confirm", "confirmation"),
)
"""What may follow the word for a secret that is one nonetheless: ``passwordHash``."""


def _compounds(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        yield from (word, f"{word}s", *(f"{word}_{variant}" for variant in _VARIANTS))


_PASSWORDS = (
    *("password", "passwd", "passphrase", "passcode", "pwd", "pass", "secret", "credential"),
    *("dbpassword", "userpassword", "newpassword", "oldpassword", "clientsecret"),
)
_TOKENS = (
    *("access_token", "auth_token", "refresh_token", "id_token", "session_token", "bearer_token"),
    *("api_token", "csrf_token", "xsrf_token", "security_token", "accesstoken", "authtoken"),
    *("refreshtoken", "sessiontoken", "csrftoken", "jwt", "api_key", "apikey", "private_key"),
    *("privatekey", "access_key", "accesskey", "secret_key", "secretkey", "account_key"),
    *("encryption_key", "signing_key", "auth_key", "session_key", "subscription_key"),
)
_SIGNATURES = (
    *("x_amz_signature", "x_amz_credential", "x_goog_signature", "x_goog_credential"),
    *("awsaccess_key_id", "awsaccesskeyid", "code_verifier", "client_assertion", "samlresponse"),
)

DEFAULTS = (
    Rule(
        "authorization", keys=("authorization", "x_auth", "http_auth", "basic_auth", "proxy_auth")
    ),
    Rule("cookie", keys=("cookie", "cookies")),
    Rule(
        "token",
        keys=(
            *_compounds(_TOKENS),
            "token",  # its plural is what language models count
            *(f"token_{variant}" for variant in _VARIANTS),
            *("x_session_id", "jsessionid", "phpsessid", "sessionid", "session_cookie"),
        ),
    ),
    Rule(
        "signature",
        keys=_SIGNATURES,
        parameters=("sig", "signature"),
    ),
    Rule("parameter", parameters=("code", "key", "session_id", "otp", "auth")),
    Rule("password", keys=tuple(_compounds(_PASSWORDS))),
    Rule("personal", keys=("ssn", "ssns", "social_security_number", "iban", "ibans")),
    Rule("card", keys=("cvv", "cvv2", "cvc", "cvc2", "card_security_code")),
    Rule("userinfo", detect=Detect.USERINFO),
    Rule("secret", detect=Detect.SECRET),
    Rule("bearer", detect=Detect.BEARER),
    Rule("basic", detect=Detect.BASIC),
    Rule("card", detect=Detect.CARD),
)

CARD_KEYS = frozenset(
    (
        *("card", "cards", "pan", "pans", "card_number", "card_numbers", "cardnumber"),
        *("card_no", "cardno", "card_num", "cc_number", "ccnumber", "cc_num", "ccnum", "cc_no"),
        *("credit_card", "creditcard", "credit_card_number", "creditcardnumber", "debit_card"),
        *("primary_account_number", "payment_card"),
    )
)
"""Ends of keys under which a whole number may be that of a card."""
NAME_KEYS = frozenset(
    (
        *("name", "names", "service", "host", "hostname", "address", "domain", "arn", "arns"),
        *("route", "operation", "method", "topic", "queue", "queue_url", "table", "bucket"),
        *("destination", "namespace", "id", "ids"),
    )
)
"""Ends of keys whose values name something: what they are joined and searched by."""
QUERY_KEYS = frozenset(("query", "query_string", "querystring"))
"""Ends of keys whose values begin with a query parameter, without the question mark."""
