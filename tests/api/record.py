"""Record what the examples are answered, for the reference: `python -m tests.api.record`."""

import json
import re
from typing import Any

from chalicelib.api import openapi
from chalicelib.api.rest import OPERATIONS, Operation
from chalicelib.aws import clock as clocks
from tests.api.tenant import Tenant, document, prepared, tenant
from tests.cloud import Clock, cloud
from tests.registry import Answer, registry

LONGEST = 1_500  # characters of a text
#: Secrets are shown as what they look like, and are nobody's.
SECRET = re.compile(r"\b(pp[a-z]_|whsec_)[A-Za-z0-9_-]{20,}")


def shown(value: Any) -> Any:
    """A document without secrets."""
    if isinstance(value, dict):
        return {name: shown(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shown(inner) for inner in value]
    if isinstance(value, str):
        value = value.replace("amazonses.com", "mail.example")  # where DKIM's records lead on AWS
    return SECRET.sub(r"\1kU9vN2xq0bQm4d1Hc7sTzY5wRfEaJgLp", value) if isinstance(value, str) else value


def recordable(operation: Operation) -> bool:
    """Whether an example's answer has a body to show; the reference itself would hold itself."""
    return operation.tag != "Reference" and any(operation.how["answers"].values())


def kept(answer: Answer) -> dict[str, Any]:
    """An answer as it is recorded."""
    body = shown(document(answer))
    return {"status": answer.status, "body": body[:LONGEST] if isinstance(body, str) else body}


def _all(town: Tenant) -> dict[str, Any]:
    made = {}
    for operation in filter(recordable, OPERATIONS):
        with town.undone():
            answer = town.send(prepared(town, operation))
        assert answer.status < 400, (operation.id, answer)
        if answer.text:
            made[operation.id] = kept(answer)
    return made


def main() -> None:
    """Write chalicelib/api/examples.json."""
    standing = Clock()
    clocks.install(lambda: standing.seconds)
    with cloud() as settings, registry(settings, standing) as opened:
        made = _all(tenant(opened))
    text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False)
    openapi.RECORDED.write_text(text + "\n")


if __name__ == "__main__":
    main()
