"""What the Lambdas of a deployment call, held against what their roles allow.

ministack does not enforce IAM. So each Lambda's Python loads a hook that writes down its calls, presigning
included, and the roles of the packaged template must allow every one of them.
"""

import fnmatch
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from local.cloudformation import Node, Template

#: Loaded as sitecustomize by the Lambdas' interpreters. It waits for botocore to be imported, for the
#: function's own copy is not on the path before.
HOOK = """
import json, os, sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder

KEEP = ("TableName", "IndexName", "QueueUrl", "Bucket", "Key", "stateMachineArn", "EmailIdentity",
        "FromEmailAddress", "BounceSender", "ConfigurationSetName", "SecretId")

def note(params, model, **_):
    kept = {name: params[name] for name in KEEP if isinstance(params.get(name), str)}
    kept["RequestItems"] = list(params.get("RequestItems", ()))
    kept["TransactItems"] = [(part, detail["TableName"]) for item in params.get("TransactItems", ())
                             for part, detail in item.items()]
    line = {"function": os.environ["AWS_LAMBDA_FUNCTION_NAME"], "service": model.service_model.service_name,
            "operation": model.name, "params": kept}
    with open(os.environ["NOTED_CALLS"], "a") as out:
        out.write(json.dumps(line) + "\\n")

class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != "botocore.handlers":
            return None
        spec = PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            module.BUILTIN_HANDLERS.append(("before-parameter-build", note))
        spec.loader.exec_module = exec_module
        return spec

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    sys.meta_path.insert(0, Finder())
"""
#: Operations whose permission has another name. A transaction needs those of its parts.
NAMES = {"HeadObject": "GetObject", "SendMessageBatch": "SendMessage", "TransactGetItems": "GetItem"}
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
PREFIXES = {"sesv2": "ses", "stepfunctions": "states"}


class Need(NamedTuple):
    """A permission that a call took."""

    function: str
    action: str
    resource: str  # ARN


def install(directory: Path) -> dict[str, str]:
    """Write the hook; the environment that makes Lambdas load it."""
    (directory / "sitecustomize.py").write_text(HOOK)
    return {"PYTHONPATH": str(directory), "NOTED_CALLS": str(directory / "calls.jsonl")}


class Ledger:
    """The noted calls beside the template's roles."""

    def __init__(self, directory: Path, template: Template) -> None:
        self._path, self._template = directory / "calls.jsonl", template

    def needs(self) -> set[Need]:
        """Every permission that was needed so far."""
        calls = (json.loads(line) for line in self._path.read_text().splitlines())
        return {
            Need(call["function"], action, resource)
            for call in calls
            for action, resource in self._permissions(call["service"], call["operation"], call["params"])
        }

    def refused(self) -> list[Need]:
        """Those that the function's role does not give."""
        roles = self._roles()
        return sorted(need for need in self.needs() if not _allows(roles[need.function], need))

    def _roles(self) -> dict[str, list[Node]]:
        """Statements by function name."""
        documents = self._template.resources("AWS::IAM::Role")
        found = {}
        for name, function in self._template.resources("AWS::Serverless::Function").items():
            policies = documents[f"{name}Role"]["Policies"]
            found[function["FunctionName"]] = [s for p in policies for s in p["PolicyDocument"]["Statement"]]
        return found

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._template.region}:{self._template.account}:{resource}"

    def _permissions(
        self, service: str, operation: str, given: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        action = f"{PREFIXES.get(service, service)}:{NAMES.get(operation, operation)}"
        match service:
            case "dynamodb":
                for part, table in given["TransactItems"]:
                    yield f"dynamodb:{PARTS[part]}", self._arn("dynamodb", f"table/{table}")
                index = f"/index/{given['IndexName']}" if "IndexName" in given else ""
                for table in given["RequestItems"] or [given[k] for k in ("TableName",) if k in given]:
                    yield action, self._arn("dynamodb", f"table/{table}{index}")
            case "s3":
                yield action, f"arn:aws:s3:::{given['Bucket']}/{given['Key']}"
            case "sqs":
                yield action, self._arn("sqs", given["QueueUrl"].rpartition("/")[2])
            case "stepfunctions":
                # A token is of the machine that waits for it.
                machine = given.get("stateMachineArn") or self._template.arn("DeliveryMachine")
                yield action, machine
            case "secretsmanager":
                yield action, given["SecretId"]
            case "ses" | "sesv2":
                sender = given.get("FromEmailAddress") or given.get("BounceSender") or ""
                domain = given.get("EmailIdentity") or sender.rpartition("@")[2]
                yield action, self._arn("ses", f"identity/{domain}")
                if operation == "SendEmail":
                    yield action, self._arn("ses", f"configuration-set/{given['ConfigurationSetName']}")


def _allows(statements: list[Node], need: Need) -> bool:
    def many(value: Any) -> list[str]:
        return value if isinstance(value, list) else [value]

    return any(
        need.action in many(statement["Action"])
        and any(fnmatch.fnmatchcase(need.resource, pattern) for pattern in many(statement["Resource"]))
        for statement in statements
    )
