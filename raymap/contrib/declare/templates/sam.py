"""SAM templates → CloudFormation, by AWS's own translator (aws-sam-translator), offline."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raymap.contrib.declare.templates.errors import InvalidTemplate
from raymap.contrib.declare.templates.tree import Tree, parse_tree
from raymap.errors import CommandError

INSTALL = 'pip install "raymap[sam]"'
DEFAULT_REGION = "us-east-1"
_TRANSFORM = "AWS::Serverless-2016-10-31"
_PREFIX = "AWS::Serverless::"
_SOMEWHERE = "s3://bucket/key"
"""In place of local paths, which `sam package` uploads."""
_ID = re.compile(r"\[([A-Za-z0-9]+)\]")
_CODE = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
}
_DEFINITIONS = {
    "AWS::Serverless::StateMachine": "Definition",
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
}
"""The property that has inline what ``DefinitionUri`` names."""


def is_sam(template: Mapping[str, Any]) -> bool:
    """Whether a template has to be translated."""
    transform = template.get("Transform")
    if _TRANSFORM in (transform if isinstance(transform, list) else [transform]):
        return True
    return any(_type(each).startswith(_PREFIX) for each in _resources(template).values())


def translate(tree: Tree, file: str, parameters: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The CloudFormation of a SAM template. Raises InvalidTemplate, and CommandError without the translator."""
    try:
        from boto3 import Session
        from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
        from samtranslator.model.exceptions import InvalidDocumentException
        from samtranslator.parser.parser import Parser
        from samtranslator.translator.translator import Translator
    except ImportError as error:
        raise CommandError(
            f"{file} is a SAM template, for which {error.name} is missing: {INSTALL}"
        ) from None
    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of its own features
    template = copy.deepcopy(tree.root)
    _without_applications(template)
    translator = Translator(
        None, Parser(), boto_session=Session(region_name=region or DEFAULT_REGION)
    )
    try:
        translated: dict[str, Any] = translator.translate(
            template,
            parameter_values=dict(parameters),
            get_managed_policy_map=lambda: get_bundled_managed_policy_map("aws") or {},
        )
    except InvalidDocumentException as error:
        raise _refusal(tree, file, [cause.message for cause in error.causes]) from None
    except Exception as error:  # the translator expects a template that CloudFormation has checked
        problem = " ".join(str(error).split())[:300]
        raise InvalidTemplate(
            file, f"SAM's translator fails on it ({type(error).__name__}: {problem})"
        ) from None
    return translated


def _refusal(tree: Tree, file: str, causes: list[str]) -> InvalidTemplate:
    """The first of the translator's sentences, with the line of the resource that it names."""
    first = causes[0] if causes else "no reason given"
    named = _ID.search(first)
    more = f" (and {len(causes) - 1} more)" if len(causes) > 1 else ""
    line = tree.lines.get(("Resources", named[1])) if named else None
    return InvalidTemplate(file, f"{first[:500]}{more}", line)


def _without_applications(template: dict[str, Any]) -> None:
    """Applications are stacks of their own, which the translator would look up in AWS's repository."""
    for resource in _resources(template).values():
        if _type(resource) == "AWS::Serverless::Application":
            given = resource.get("Properties") or {}
            resource["Type"] = "AWS::CloudFormation::Stack"
            resource["Properties"] = {
                "TemplateURL": given.get("Location"),
                "Parameters": given.get("Parameters") or {},
            }


def inline_files(template: dict[str, Any], folder: Path, notes: list[str]) -> None:
    """Put definitions in files of their own into the template, and addresses in place of local code."""
    globals_ = template.get("Globals")
    for section, properties in (globals_ if isinstance(globals_, dict) else {}).items():
        if section == "Function" and isinstance(properties, dict):
            _replace_local(properties, "CodeUri")
    for id, resource in _resources(template).items():
        properties = resource.get("Properties") if isinstance(resource, dict) else None
        if not isinstance(properties, dict):
            continue
        kind = _type(resource)
        if kind in _CODE:
            _replace_local(properties, _CODE[kind])
        if kind == "AWS::Serverless::Function":
            _require_code(properties, template)
        if kind in _DEFINITIONS:
            _resolve_include(properties, _DEFINITIONS[kind])
            _inline(id, properties, "DefinitionUri", _DEFINITIONS[kind], folder, notes)
        if kind == "AWS::StepFunctions::StateMachine":
            _inline(id, properties, "DefinitionS3Location", "Definition", folder, notes)


def local_file(value: object) -> str | None:
    """A path on this machine, None for what is in S3, or elsewhere."""
    is_local = isinstance(value, str) and not value.startswith(("s3://", "http:", "https:"))
    return str(value).removeprefix("file://") if is_local else None


def _replace_local(properties: dict[str, Any], name: str) -> None:
    value = properties.get(name)
    if isinstance(value, str) and not value.startswith("s3://"):
        properties[name] = _SOMEWHERE


def _require_code(properties: dict[str, Any], template: Mapping[str, Any]) -> None:
    """A function without code, as CDK and ``sam build`` may leave it, is a function nevertheless."""
    shared = template.get("Globals")
    function = shared.get("Function") if isinstance(shared, dict) else None
    all_ = {**(function if isinstance(function, dict) else {}), **properties}
    if all_.get("PackageType") == "Image":
        properties.setdefault("ImageUri", "000000000000.dkr.ecr.us-east-1.amazonaws.com/image:1")
    elif not {"CodeUri", "InlineCode"} & all_.keys():
        properties["CodeUri"] = _SOMEWHERE


def _resolve_include(properties: dict[str, Any], inline: str) -> None:
    """A local file that ``AWS::Include`` names is read as one that ``DefinitionUri`` names."""
    given = properties.get(inline)
    transform = given.get("Fn::Transform") if isinstance(given, dict) else None
    if not isinstance(transform, dict) or transform.get("Name") != "AWS::Include":
        return
    parameters = transform.get("Parameters")
    location = parameters.get("Location") if isinstance(parameters, dict) else None
    if isinstance(location, str) and not location.startswith("s3://"):
        properties["DefinitionUri"] = location
        del properties[inline]


def _inline(
    id: str,
    properties: dict[str, Any],
    uri: str,
    inline: str,
    folder: Path,
    notes: list[str],
) -> None:
    value = local_file(properties.get(uri))
    if value is None:
        return
    path = folder / value
    try:
        text = path.read_text()
    except (OSError, ValueError):
        notes.append(f"{id}: the file {value[:200]} with its definition cannot be read")
        properties[uri] = _SOMEWHERE
        return
    properties[inline] = parse_tree(text, value).root
    del properties[uri]


def _resources(template: Mapping[str, Any]) -> dict[str, Any]:
    found = template.get("Resources")
    return found if isinstance(found, dict) else {}


def _type(resource: object) -> str:
    type = resource.get("Type") if isinstance(resource, dict) else None
    return type if isinstance(type, str) else ""
