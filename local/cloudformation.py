"""Intrinsic functions of a CloudFormation template, resolved without deploying it."""

import re
from collections.abc import Mapping
from typing import Any

Node = dict[str, Any]

#: The property that names a resource of each type.
NAMES = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::SES::ConfigurationSet": "Name",
    "AWS::SES::ReceiptRuleSet": "RuleSetName",
    "AWS::SecretsManager::Secret": "Name",
}
_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
}
_FUNCTION_ARN = "lambda:{region}:{account}:function:{name}"  # Chalice writes the functions' types


class Template:
    """A template with its parameters given. `endpoint` is the host part of queue URLs."""

    def __init__(self, body: Node, parameters: Mapping[str, str], *, account: str, region: str) -> None:
        self._body = body
        self.account, self.region, self.endpoint = account, region, ""
        given = {name: str(one.get("Default", "")) for name, one in body.get("Parameters", {}).items()}
        self._parameters = {**given, **parameters}
        self._pseudo = {"AccountId": account, "Region": region, "Partition": "aws", "StackName": "local"}

    def resources(self, kind: str) -> dict[str, Node]:
        """Resolved properties of the resources of one type, by logical id."""
        found = self._body["Resources"].items()
        return {
            logical: self.resolve(resource.get("Properties", {}))
            for logical, resource in found
            if resource.get("Type") == kind and self._condition(resource.get("Condition"))
        }

    def environment(self) -> dict[str, str]:
        """What every function has in its environment."""
        function = self._body.get("Globals", {}).get("Function", {})
        variables = function.get("Environment", {}).get("Variables", {})
        return {name: str(self.resolve(value)) for name, value in variables.items()}

    def event_source(self, function: str) -> Node:
        """What the template says of the queue that wakes a function (Chalice's name of it)."""
        for resource in self._body["Resources"].values():
            properties = resource.get("Properties", {})
            if str(self.resolve(properties.get("FunctionName", ""))).endswith(f"-{function}"):
                for event in properties.get("Events", {}).values():
                    return self.resolve(event.get("Properties", {}))  # type: ignore[no-any-return]
        return {}

    def name(self, logical: str) -> str:
        """A resource's physical name; its logical id where the template gives none."""
        resource = self._body["Resources"][logical]
        key = NAMES.get(resource.get("Type", "AWS::Serverless::Function"), "Name")
        return str(self.resolve(resource.get("Properties", {}).get(key, logical)))

    def arn(self, logical: str) -> str:
        """A resource's ARN."""
        pattern = _ARNS.get(self._body["Resources"][logical].get("Type"), _FUNCTION_ARN)
        return "arn:aws:" + pattern.format(region=self.region, account=self.account, name=self.name(logical))

    def ref(self, name: str) -> Any:
        """What `Ref` gives. Raises LookupError."""
        if name.startswith("AWS::"):
            return self._pseudo.get(name.removeprefix("AWS::"))
        if name in self._parameters:
            return self._parameters[name]
        kind = self._body["Resources"][name].get("Type")
        if kind == "AWS::SQS::Queue":
            return f"{self.endpoint}/{self.account}/{self.name(name)}"
        whole = kind in ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")
        return self.arn(name) if whole else self.name(name)

    def resolve(self, node: Any) -> Any:
        """A value with every intrinsic function replaced. Raises LookupError for one that is not known."""
        if isinstance(node, list):
            return [self.resolve(one) for one in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (next(iter(node)) == "Ref" or next(iter(node)).startswith("Fn::")):
            [(function, argument)] = node.items()
            return self._call(function.removeprefix("Fn::"), argument)
        return {key: self.resolve(value) for key, value in node.items()}

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self.ref(argument)
            case "GetAtt":
                return self._attribute(*argument)
            case "Sub":
                return self._substitute(argument)
            case "Join":
                return str(argument[0]).join(str(one) for one in self.resolve(argument[1]))
            case "Select":
                return self.resolve(argument[1])[int(argument[0])]
            case "Split":
                return str(self.resolve(argument[1])).split(argument[0])
            case "If":
                return self.resolve(argument[1] if self._condition(argument[0]) else argument[2])
        raise LookupError(f"Fn::{function} is not known here")

    def _attribute(self, logical: str, attribute: str) -> str:
        if attribute == "Arn":
            return self.arn(logical)
        if attribute.endswith("Name") and attribute in NAMES.values():
            return self.name(logical)
        return f"{logical.lower()}.{attribute.lower()}"  # a host that AWS would give

    def _substitute(self, argument: Any) -> str:
        text, values = argument if isinstance(argument, list) else (argument, {})
        known = {name: str(self.resolve(value)) for name, value in values.items()}

        def one(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in known:
                return known[name]
            logical, dot, attribute = name.partition(".")
            return self._attribute(logical, attribute) if dot else str(self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", one, text)

    def _condition(self, condition: Any) -> bool:
        """A condition by name, or an expression of conditions."""
        if condition is None:
            return True
        if isinstance(condition, str):
            return self._condition(self._body["Conditions"][condition])
        [(function, argument)] = condition.items()
        match function:
            case "Condition":
                return self._condition(argument)
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return bool(left == right)
            case "Fn::Not":
                return not self._condition(argument[0])
            case "Fn::And":
                return all(self._condition(one) for one in argument)
            case "Fn::Or":
                return any(self._condition(one) for one in argument)
        raise LookupError(f"{function} is not known here")
