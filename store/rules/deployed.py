"""Which version of a service a segment ran, and in which environment. Pure.

A function's version is the qualifier of its ARN (``…:function:checkout:42``, a version or an alias) or
``faas.version``. ``$LATEST`` says nothing of what was deployed, so any other name goes before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MAX_LENGTH = 200
LATEST = "$LATEST"
VERSION = "version"
"""The annotation of a segment that names its version, where nothing else does."""
ENVIRONMENT_KEYS = ("deployment.environment.name", "deployment.environment")
"""OpenTelemetry's attributes, today's and the former one."""
ENVIRONMENT_ANNOTATIONS = (
    *ENVIRONMENT_KEYS,
    *(key.replace(".", "_") for key in ENVIRONMENT_KEYS),
    *(f"otel.resource.{key}" for key in ENVIRONMENT_KEYS),
)
"""The same as annotations; X-Ray's exporter in the OpenTelemetry Collector writes them so."""
NAMING = frozenset((VERSION, *ENVIRONMENT_ANNOTATIONS))
"""The annotations that are read."""
_FUNCTION = ":function:"


def version_of(arns: Iterable[object], *named: object) -> str:
    """The version: of a function's ARN, else the first that is named; '' if none is."""
    latest = ""
    for arn in arns:
        if arn is not None and (version := arn_qualifier(arn)):
            if version != LATEST:
                return version
            latest = version
    for value in named:
        if value is not None and (version := _text(value)):
            if version != LATEST:
                return version
            latest = version
    return latest


def environment_of(*named: object) -> str:
    """The first environment that is named; '' if none is."""
    return next(filter(None, map(_text, named)), "")


def annotated_environment(annotations: Mapping[str, object]) -> str:
    """The environment that annotations name; '' if they name none."""
    return environment_of(*(annotations.get(key) for key in ENVIRONMENT_ANNOTATIONS))


def arn_qualifier(arn: object) -> str:
    """The version or alias in a function's ARN; '' if there is none."""
    if not isinstance(arn, str) or arn.count(":") != 7 or _FUNCTION not in arn:
        return ""
    qualifier = arn.rpartition(":")[2]
    return qualifier if arn.startswith("arn:") and len(qualifier) <= MAX_LENGTH else ""


def _text(value: object) -> str:
    """A name as text; annotations may spell a version as a number."""
    if isinstance(value, str):
        return value.strip() if len(value) <= MAX_LENGTH else ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value) if abs(value) < 2**53 else value
    return str(value)[:MAX_LENGTH]
