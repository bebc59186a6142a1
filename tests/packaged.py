"""What `make package` makes, built once for all tests that need it, for this machine's processor."""

from functools import cache
from typing import Any

import yaml

from tools import package

OUT = package.ROOT / "build" / "package-tests"
Node = dict[str, Any]


@cache
def packaged() -> package.Package:
    """The package of the working tree."""
    return package.build(package.here(), OUT)


@cache
def template() -> Node:
    """The packaged template."""
    loaded: Node = yaml.safe_load(packaged().template.read_text())
    return loaded


def resources(kind: str) -> dict[str, Node]:
    """Resources of one type, by logical id."""
    return {name: r for name, r in template()["Resources"].items() if r["Type"] == kind}


def functions() -> dict[str, Node]:
    """Properties of every function, by logical id."""
    return {name: r["Properties"] for name, r in resources("AWS::Serverless::Function").items()}
