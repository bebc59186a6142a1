"""The files of infra/ as one CloudFormation template in its long (JSON) form."""

import json
from pathlib import Path
from typing import Any

import yaml

INFRA = Path(__file__).resolve().parents[1] / "infra"
#: Later files may refine what earlier ones say.
FRAGMENTS = ("template.yaml", "functions.yaml", "ses.yaml", "edge.yaml", "alarms.yaml")

Node = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags."""


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Node:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tag)


def read(path: Path) -> Node:
    """A template file with !Ref written as {"Ref": …} and so on."""
    loaded: Node = yaml.load(path.read_text(), Loader=_Loader)
    return loaded


def merge(under: Any, over: Any) -> Any:
    """Dicts merge, anything else is replaced: Chalice's own rule."""
    if not (isinstance(under, dict) and isinstance(over, dict)):
        return over
    merged = dict(under)
    for key, value in over.items():
        merged[key] = merge(under[key], value) if key in under else value
    return merged


def _with_blobs(policy: str) -> str | Node:
    """Larger uploads go to the mail bucket itself, by the host of its region."""
    if "{blobs}" not in policy:
        return policy
    return {"Fn::Sub": policy.replace("{blobs}", "https://${MailBucket.RegionalDomainName}")}


def _security(name: str, value: str) -> Node:
    """A header that CloudFront wants by a name and in a form of its own; {} for any other."""
    match name:
        case "Content-Security-Policy":
            return {"ContentSecurityPolicy": {"ContentSecurityPolicy": _with_blobs(value), "Override": True}}
        case "X-Content-Type-Options":
            return {"ContentTypeOptions": {"Override": True}}
        case "X-Frame-Options":
            return {"FrameOptions": {"FrameOption": value, "Override": True}}
        case "Referrer-Policy":
            return {"ReferrerPolicy": {"ReferrerPolicy": value, "Override": True}}
        case "Strict-Transport-Security":
            age, _, rest = value.removeprefix("max-age=").partition(";")
            told = {"AccessControlMaxAgeSec": int(age), "IncludeSubdomains": bool(rest), "Override": True}
            return {"StrictTransportSecurity": told}
    return {}


def _cors(name: str, value: str) -> Node:
    """A header for pages of other origins, in CloudFront's form; {} for any other."""
    items = {"Items": [item.strip() for item in value.split(",")]}
    match name:
        case "Access-Control-Allow-Origin":
            return {"AccessControlAllowOrigins": items}
        case "Access-Control-Allow-Methods":
            return {"AccessControlAllowMethods": items}
        case "Access-Control-Allow-Headers":
            return {"AccessControlAllowHeaders": items}
        case "Access-Control-Max-Age":
            return {"AccessControlMaxAgeSec": int(value)}
    return {}


def headers_policy(headers: dict[str, str]) -> Node:
    """One entry of web-headers.json as a ResponseHeadersPolicyConfig without a name.

    Cache-Control is left out: on AWS each object carries its own, set when it is uploaded or by its link.
    """
    security: Node = {}
    cors: Node = {}
    custom = []
    for name, value in sorted(headers.items()):
        known, shared = _security(name, value), _cors(name, value)
        security |= known
        cors |= shared
        if not known and not shared and name != "Cache-Control":
            custom.append({"Header": name, "Value": value, "Override": True})
    config: Node = {"SecurityHeadersConfig": security}
    if cors:
        config["CorsConfig"] = {**cors, "AccessControlAllowCredentials": False, "OriginOverride": True}
    return config | ({"CustomHeadersConfig": {"Items": custom}} if custom else {})


def _fill(resource: Node) -> None:
    """Put in the text that Metadata names: a state machine, an edge function, response headers."""
    metadata, properties = resource.pop("Metadata", {}), resource.get("Properties", {})
    if "Definition" in metadata:
        definition = json.loads((INFRA / metadata["Definition"]).read_text())
        properties["DefinitionString"] = json.dumps(definition)
    if "Code" in metadata:
        properties["FunctionCode"] = (INFRA / metadata["Code"]).read_text()
    if "Headers" in metadata:
        headers = json.loads((INFRA / "web-headers.json").read_text())[metadata["Headers"]]
        properties["ResponseHeadersPolicyConfig"] |= headers_policy(headers)


def whole() -> Node:
    """Everything that infra/ describes, to be merged over what Chalice generates from app.py."""
    template: Node = {}
    for name in FRAGMENTS:
        template = merge(template, read(INFRA / name))
    for resource in template["Resources"].values():
        _fill(resource)
    return template
