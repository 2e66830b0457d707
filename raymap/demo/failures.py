"""The exceptions of the shop and of the services it calls, named as their SDKs name them."""

from __future__ import annotations


class ServiceError(Exception):
    """An answer of an AWS service that the SDK raises; `status` is its HTTP status."""

    status = 400

    def __init__(self, operation: str, text: str) -> None:
        code = type(self).__name__
        super().__init__(
            f"An error occurred ({code}) when calling the {operation} operation: {text}"
        )


class ProvisionedThroughputExceededException(ServiceError):
    """DynamoDB throttles with HTTP 400, not 429."""


class ConditionalCheckFailedException(ServiceError):
    """The item was there already."""


class NotAuthorizedException(ServiceError):
    """Cognito: wrong password or expired token."""


class NoSuchKey(ServiceError):
    status = 404


class PaymentDeclined(Exception):
    """The provider said no: the customer's problem."""


class PaymentProviderError(Exception):
    """The provider failed: ours."""


class OutOfStock(Exception):
    """Nothing left to reserve."""


class MissingField(Exception):
    """A new version reads what old data does not have."""


class UnidentifiedImageError(Exception):
    """What was uploaded is no picture."""


class RateLimitError(Exception):
    """The model's provider: too many requests."""


class SerializationFailure(Exception):
    """PostgreSQL: another transaction came first."""
