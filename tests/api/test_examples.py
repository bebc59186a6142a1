"""Every example of the reference, executed, and its answer held against the document."""

import json

import pytest

import app
from chalicelib.api import openapi
from chalicelib.api.rest import OPERATIONS, Operation
from tests.api.conforming import faults
from tests.api.record import recordable
from tests.api.tenant import Tenant, prepared
from tests.registry import Answer

assert app.app


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)
def test_an_example_works_and_its_answer_is_as_described(town: Tenant, operation: Operation) -> None:
    with town.trying(operation):
        answer = town.send(prepared(town, operation))
    assert answer.status in (200, 201, 202, 204, 303), answer
    assert not faults(operation.path, operation.method, answer)


def test_recorded_answers_are_as_described() -> None:
    """When a model has changed, `python -m tests.api.record` records them anew."""
    wrong = {}
    for operation in filter(recordable, OPERATIONS):
        model = next(iter(operation.how["answers"].values()))
        recorded = openapi.recorded().get(operation.id)
        if recorded and isinstance(model, type):
            headers = {"Content-Type": "application/json"}
            answer = Answer(recorded["status"], headers, json.dumps(recorded["body"]))
            wrong[operation.id] = faults(operation.path, operation.method, answer)
        elif isinstance(model, type):
            wrong[operation.id] = ["not recorded"]
    assert not {id: found for id, found in wrong.items() if found}
