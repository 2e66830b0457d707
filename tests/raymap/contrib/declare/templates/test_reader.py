"""Templates from files: names, policies, errors with their lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from raymap.contrib.declare.templates.reader import Place, read_template
from raymap.errors import CommandError
from store.declared.model import Declaration, Evidence

HEAD = "Transform: AWS::Serverless-2016-10-31\n"
ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [{managed}]
      Policies:
        - PolicyName: own
          PolicyDocument: {{Statement: [{statement}]}}
"""
FUNCTION = """
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: fn, Role: !GetAtt Role.Arn}
  Orders: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Work: {Type: AWS::SQS::Queue}
"""


def read(folder: Path, text: str, name: str = "template.yaml", **place: str) -> Declaration:
    path = folder / name
    path.write_text(text)
    return read_template(path, Place(**place), {})


def allowed(folder: Path, statement: str, managed: str = "") -> Declaration:
    return read(folder, FUNCTION + ROLE.format(statement=statement, managed=managed), stack="s")


def calls(declaration: Declaration) -> list[tuple[str, str]]:
    return [(call.source, call.target) for call in declaration.calls]


def unrestricted(declaration: Declaration) -> tuple[str, ...]:
    return next(each.unrestricted for each in declaration.resources if each.id == "Fn")


def problem(folder: Path, text: str, name: str = "template.yaml") -> str:
    with pytest.raises(CommandError) as error:
        read(folder, text, name)
    return str(error.value)


# policies


def test_a_statement_declares_the_calls_to_its_resources(tmp_path: Path) -> None:
    found = allowed(tmp_path, "{Effect: Allow, Action: dynamodb:*, Resource: !GetAtt Orders.Arn}")
    assert calls(found) == [("Fn", "Orders")]
    assert unrestricted(found) == ()


def test_an_own_resource_by_its_literal_arn(tmp_path: Path) -> None:
    arn = "'arn:aws:dynamodb:eu-west-1:1:table/orders/index/*'"
    found = allowed(tmp_path, f"{{Effect: Allow, Action: dynamodb:Query, Resource: {arn}}}")
    assert calls(found) == [("Fn", "Orders")]


def test_actions_of_another_service_declare_no_call(tmp_path: Path) -> None:
    found = allowed(
        tmp_path,
        "{Effect: Allow, Action: 'sqs:*', Resource: [!GetAtt Orders.Arn, !GetAtt Work.Arn]}",
    )
    assert calls(found) == [("Fn", "Work")]


@pytest.mark.parametrize(
    ("statement", "services", "note"),
    [
        ("{Effect: Allow, Action: ['dynamodb:*', 'logs:*'], Resource: '*'}", ("dynamodb",), "any resource of dynamodb (Resource: '*')"),
        ("{Effect: Allow, Action: '*', Resource: '*'}", ("*",), "anything"),
        ("{Effect: Allow, Action: 'sqs:*', Resource: 'arn:aws:sqs:*:*:*'}", ("sqs",), "any resource of sqs"),
        ("{Effect: Allow, Action: 's3:*', Resource: 'arn:aws:s3:::*/*'}", ("s3",), "any resource of s3"),
        ("{Effect: Allow, NotAction: 'iam:*', Resource: '*'}", ("*",), "anything"),
        ("{Effect: Allow, Action: 'logs:*', Resource: '*'}", (), ""),
        ("{Effect: Deny, Action: '*', Resource: '*'}", (), ""),
        ("{Effect: Allow, Action: 'dynamodb:*', Resource: !ImportValue x}", ("dynamodb",), "any resource of dynamodb"),
    ],
)  # fmt: skip
def test_broad_statements_are_noted_and_declare_no_call(
    tmp_path: Path, statement: str, services: tuple[str, ...], note: str
) -> None:
    found = allowed(tmp_path, statement)
    assert calls(found) == []
    assert unrestricted(found) == services
    assert [note in each for each in found.notes] == [True] * bool(note)


@pytest.mark.parametrize(
    ("managed", "services"),
    [
        ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", ()),
        ("arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess", ("dynamodb",)),
        ("arn:aws:iam::aws:policy/AdministratorAccess", ("*",)),
        ("arn:aws:iam::123456789012:policy/ours", ("*",)),
        ("!Ref Shared", ("*",)),
    ],
)
def test_managed_policies(tmp_path: Path, managed: str, services: tuple[str, ...]) -> None:
    assert unrestricted(allowed(tmp_path, "", managed)) == services


def test_what_a_poller_needs_is_no_call_of_the_function(tmp_path: Path) -> None:
    statement = "{Effect: Allow, Action: [sqs:ReceiveMessage, sqs:DeleteMessage], Resource: !GetAtt Work.Arn}"
    mapping = (
        "  Poll:\n    Type: AWS::Lambda::EventSourceMapping\n"
        "    Properties: {EventSourceArn: !GetAtt Work.Arn, FunctionName: !Ref Fn}\n"
    )
    text = FUNCTION + mapping + ROLE.format(statement=statement, managed="")
    assert calls(read(tmp_path, text)) == [("Work", "Fn")]
    assert calls(allowed(tmp_path, statement)) == [("Fn", "Work")]


def test_an_environment_variable_counts_only_alone(tmp_path: Path) -> None:
    environment = FUNCTION.replace(
        "Role: !GetAtt", "Environment: {Variables: {A: !Ref Orders, B: !Ref Work}}, Role: !GetAtt"
    )
    statement = "{Effect: Allow, Action: dynamodb:GetItem, Resource: !GetAtt Orders.Arn}"
    found = read(tmp_path, environment + ROLE.format(statement=statement, managed=""))
    assert {c.target: c.evidence for c in found.calls} == {
        "Orders": (Evidence.POLICY,),
        "Work": (Evidence.ENVIRONMENT,),
    }


# names


def test_the_stack_is_named_by_samconfig_else_by_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "orders-app"
    folder.mkdir()
    text = "Resources: {T: {Type: AWS::SQS::Queue}}"
    assert read(folder, text).stack == "orders-app"
    (folder / "samconfig.toml").write_text('[default.deploy.parameters]\nstack_name = "orders"\n')
    assert read(folder, text).stack == "orders"
    assert read(folder, text, stack="mine").stack == "mine"
    (folder / "samconfig.toml").write_text("not toml [")
    assert read(folder, text).stack == "orders-app"


def test_a_parameter_that_the_template_lacks(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("Resources: {T: {Type: AWS::SQS::Queue}}")
    with pytest.raises(CommandError, match="it has no parameter 'Stge'"):
        read_template(path, Place("s"), {"Stge": "x"})


# errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "template.yaml, line 1: no template"),
        ("- 1\n", "no template: expected a mapping with Resources"),
        ("A: 1\n", "Resources must be a mapping"),
        ("A: 1\nResources: 5\n", "line 2: Resources must be a mapping"),
        ("Resources:\n  A: {Type: X}\n  B: 5\n", "line 3: the resource B must be a mapping"),
        ("Resources:\n  A:\n    Tpe: X\n", "line 2: the resource A has no Type"),
        ("Resources:\n  A:\n    Type: [X]\n", "line 2: the resource A has no Type"),
        ("Resources:\n  A:\n    Type: X\n    Properties: []\n", "line 4: Properties of A must be"),
        (f"{HEAD}Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties: {{Nope: 1}}\n", "line 3: Resource with id [A] is invalid."),
        (f"{HEAD}Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties: {{Runtime: x, Handler: y, Events: 5}}\n", "template.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    assert message in problem(tmp_path, text)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(CommandError, match=r"t.yaml, line 2: it is not UTF-8"):
        read_template(path, Place(), {})
    with pytest.raises(CommandError, match="Cannot read"):
        read_template(tmp_path / "missing.yaml", Place(), {})


@pytest.mark.parametrize("module", ["samtranslator.translator.translator", "yaml"])
def test_without_the_extra_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    text = f"{HEAD}Resources: {{A: {{Type: AWS::Serverless::SimpleTable}}}}\n"
    assert 'pip install "raymap[sam]"' in problem(tmp_path, text)


def test_a_json_template_needs_no_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("samtranslator", "yaml"):
        monkeypatch.setitem(sys.modules, module, None)
    found = read(tmp_path, '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}', "t.json")
    assert [each.id for each in found.resources] == ["Q"]


# loops

LOOP = """
Parameters: {{Names: {{Type: CommaDelimitedList, Default: "a,b"}}, Later: {{Type: "AWS::SSM::Parameter::Value<List<String>>", Default: x}}}}
Mappings: {{Of: {{eu-west-1: {{Names: [c]}}}}}}
Resources:
  Fn::ForEach::Tables:
    - Name
    - {items}
    - Table${{Name}}: {{Type: AWS::DynamoDB::Table, Properties: {{TableName: !Sub "${{AWS::StackName}}-${{Name}}"}}}}
  Queue: {{Type: AWS::SQS::Queue}}
"""


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ("[a, b]", ["a", "b"]),
        ("!Ref Names", ["a", "b"]),
        ("!FindInMap [Of, !Ref AWS::Region, Names]", ["c"]),
        ("!FindInMap [Of, us-east-1, Names, {DefaultValue: [d]}]", ["d"]),
        ("[]", []),
    ],
)
def test_a_loop_makes_a_resource_for_each_element(
    tmp_path: Path, items: str, names: list[str]
) -> None:
    found = read(tmp_path, LOOP.format(items=items), stack="s", region="eu-west-1")
    assert [(each.id, each.name) for each in found.resources] == [
        *((f"Table{name}", f"s-{name}") for name in names),
        ("Queue", ""),
    ]
    assert found.notes == ()


def test_loops_in_loops_and_in_properties(tmp_path: Path) -> None:
    text = """
Resources:
  Fn::ForEach::Stages:
    - Stage
    - [dev, prod]
    - Fn::ForEach::Kinds:
        - Kind
        - [in, out-put]
        - Queue${Stage}&{Kind}:
            Type: AWS::SQS::Queue
            Properties: {QueueName: !Join ["-", [!Ref Stage, "${Kind}"]]}
      Fn${Stage}:
        Type: AWS::Lambda::Function
        Properties:
          FunctionName: !Ref Stage
          Environment:
            Variables:
              Fn::ForEach::Queues: [Kind, [in, out-put], {"Q&{Kind}": !GetAtt "Queue${Stage}&{Kind}.QueueName"}]
"""
    found = read(tmp_path, text)
    assert [each.name for each in found.resources] == [
        *("dev-in", "dev-out-put", "dev", "prod-in", "prod-out-put", "prod")
    ]
    assert calls(found) == [
        *(("Fndev", "Queuedevin"), ("Fndev", "Queuedevoutput")),
        *(("Fnprod", "Queueprodin"), ("Fnprod", "Queueprodoutput")),
    ]


def test_a_list_that_only_a_deployment_knows_is_noted(tmp_path: Path) -> None:
    found = read(tmp_path, LOOP.format(items="!Ref Later"))
    assert [each.id for each in found.resources] == ["Queue"]
    assert found.notes == (
        "Fn::ForEach::Tables is not expanded: its list is not known before deployment",
    )


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        ("[Name, [a]]", "Fn::ForEach::X: expected [name, list, {key: value}]"),
        ("[N-1, [a], {}]", "Fn::ForEach::X: expected [name, list, {key: value}]"),
        ("[Name, [a, b], {Q: {Type: AWS::SQS::Queue}}]", "Fn::ForEach::X: Q is made twice"),
        ("[Name, [a], {'Q${Name}': {}}]", "line 2: the resource Qa has no Type"),
    ],
)
def test_what_is_wrong_with_a_loop(tmp_path: Path, loop: str, said: str) -> None:
    assert said in problem(tmp_path, f"Resources:\n  Fn::ForEach::X: {loop}\n")


def test_loops_are_bounded(tmp_path: Path) -> None:
    """Each of five loops makes a hundred; a sixth is refused at once."""
    inner = "{'Q${A}${B}${C}${D}${E}': {Type: AWS::SQS::Queue}}"
    for name in "EDCBA":
        items = [f"{number:02}" for number in range(100)]
        inner = f"{{'Fn::ForEach::{name}': [{name}, {items}, {inner}]}}"
    assert "make more than 300,000 values" in problem(tmp_path, f"Resources: {inner}\n")
    deeper = f"{{'Fn::ForEach::F': [F, [x], {inner}]}}"
    assert "nested deeper than 5" in problem(tmp_path, f"Resources: {deeper}\n")


# nested stacks


def test_stacks_whose_files_are_not_here_are_noted(tmp_path: Path) -> None:
    text = f"""{HEAD}
Resources:
  App: {{Type: AWS::Serverless::Application, Properties: {{Location: app.yaml}}}}
  Far: {{Type: AWS::CloudFormation::Stack, Properties: {{TemplateURL: "https://s3.amazonaws.com/b/t"}}}}
  Table: {{Type: AWS::Serverless::SimpleTable}}
"""
    found = read(tmp_path, text)
    assert [each.id for each in found.resources] == ["Table"]
    notes = " ".join(found.notes)
    assert "App is a stack of its own. Cannot read" in notes
    assert "Far is a stack of its own: declare its template, too" in notes


def test_a_nested_template_is_read_with_what_it_is_given(tmp_path: Path) -> None:
    """Its condition is decided by a parameter; a wrong template is named by its own file."""
    (tmp_path / "inner.yaml").write_text(
        """
Parameters: {Stage: {Type: String, Default: prod}, Sizes: {Type: CommaDelimitedList}}
Conditions: {IsDev: !Equals [!Ref Stage, dev]}
Resources:
  Small: {Type: AWS::SQS::Queue, Condition: IsDev, Properties: {QueueName: !Select [1, !Ref Sizes]}}
  Named: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref AWS::StackName}}
"""
    )
    text = """
Resources:
  App:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: inner.yaml, Parameters: {Stage: %s, Sizes: [l, s]}}
"""
    found = read(tmp_path, text % "dev", stack="shop")
    assert [(each.id, each.name) for each in found.resources] == [
        ("App/Small", "s"),
        ("App/Named", "shop-App-*"),
    ]
    assert [each.id for each in read(tmp_path, text % "test").resources] == ["App/Named"]
    (tmp_path / "inner.yaml").write_text("Resources: {Q: {}}")
    assert "inner.yaml, line 1: the resource Q has no Type" in problem(tmp_path, text % "dev")


def test_stacks_that_wait_for_each_other_and_stacks_in_themselves(tmp_path: Path) -> None:
    stack = "{Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: inner.yaml, Parameters: {P: !GetAtt %s.Outputs.O}}}"
    (tmp_path / "inner.yaml").write_text(
        "Parameters: {P: {Type: String}}\nOutputs: {O: {Value: !Ref P}}\n"
        "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref P}}}\n"
    )
    found = read(tmp_path, f"Resources:\n  A: {stack % 'B'}\n  B: {stack % 'A'}\n")
    assert [(each.id, each.name) for each in found.resources] == [("A/Q", "*"), ("B/Q", "*")]
    own = "Resources: {S: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: template.yaml}}}"
    assert "at most 100 stacks in it, 5 deep" in problem(tmp_path, own)


@pytest.mark.parametrize(
    "property",
    [
        "DefinitionUri: api.yaml",
        "DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}",
    ],
)
def test_an_api_in_a_file_of_its_own(tmp_path: Path, property: str) -> None:
    (tmp_path / "api.yaml").write_text(
        """
swagger: "2.0"
info: {title: orders-api}
paths:
  /:
    get:
      x-amazon-apigateway-integration:
        type: aws_proxy
        uri: !Sub arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations
"""
    )
    api = f"  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      StageName: dev\n      {property}\n"
    found = read(tmp_path, HEAD + FUNCTION + api)
    assert [each.name for each in found.resources if each.id == "ApidevStage"] == ["orders-api/dev"]
    assert ("ApidevStage", "Fn") in calls(found)


def test_a_definition_that_is_missing_or_no_json_is_noted(tmp_path: Path) -> None:
    machine = "Type: AWS::StepFunctions::StateMachine\n    Properties: "
    text = f"""
Resources:
  A:
    {machine}{{DefinitionS3Location: nowhere.json, RoleArn: !GetAtt Role.Arn}}
  B:
    {machine}{{DefinitionString: "{{", RoleArn: !GetAtt Role.Arn}}
  Queue: {{Type: AWS::SQS::Queue}}
""" + ROLE.format(
        managed="", statement="{Effect: Allow, Action: 'sqs:*', Resource: !GetAtt Queue.Arn}"
    )
    found = read(tmp_path, text)
    assert calls(found) == [("A", "Queue"), ("B", "Queue")]
    assert any("nowhere.json" in note for note in found.notes)


@pytest.mark.parametrize(
    "properties",
    ["{Environment: 5}", "{Environment: {Variables: [1]}}", "{Role: [1]}", "{TracingConfig: x}",
     "{FunctionName: {a: b}}", "{DeadLetterConfig: {TargetArn: 5}}"],
)  # fmt: skip
def test_properties_of_the_wrong_type_are_passed_over(tmp_path: Path, properties: str) -> None:
    text = f"Resources: {{A: {{Type: AWS::Lambda::Function, Properties: {properties}}}}}"
    found: Any = read(tmp_path, text, stack="s").resources
    assert [each.id for each in found] == ["A"]
