"""The state machines: their language is right, every state is reached, and they live as long as they must."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from chalicelib.rules.figures import DEFAULT
from tests.packaged import functions, resources
from tools.template import INFRA

MACHINES = {"ActivationMachine": "activation.asl.json", "DeliveryMachine": "delivery.asl.json"}
HISTORY = 25_000  # events an execution may have


def definition(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((INFRA / MACHINES[name]).read_text())
    return found


def following(state: dict[str, Any]) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    yield from (branch["Next"] for key in ("Choices", "Catch") for branch in state.get(key, []))


@pytest.mark.parametrize("name", MACHINES)
def test_the_language_is_right(name: str) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:task"
    filled = re.sub(r"\$\{\w+\}", arn, (INFRA / MACHINES[name]).read_text())
    AmazonStateLanguageParser.parse(filled)


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_every_way_leads_on(name: str) -> None:
    states = definition(name)["States"]
    reached, ahead = set(), [definition(name)["StartAt"]]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += following(states[here])
    assert reached == set(states)
    assert all(s["Type"] == "Succeed" or list(following(s)) for s in states.values())


@pytest.mark.parametrize("name", MACHINES)
def test_the_template_carries_the_file_and_fills_its_places(name: str) -> None:
    machine = resources("AWS::StepFunctions::StateMachine")[name]["Properties"]
    assert json.loads(machine["DefinitionString"]) == definition(name)
    for place, value in machine["DefinitionSubstitutions"].items():
        assert "${" + place + "}" in machine["DefinitionString"]
        assert value == {"Fn::GetAtt": [place.removesuffix("Arn"), "Arn"]}
        assert place.removesuffix("Arn") in functions()
    assert machine["DefinitionString"].count("${") == len(machine["DefinitionSubstitutions"])


@pytest.mark.parametrize("name", MACHINES)
def test_a_task_outlives_its_function(name: str) -> None:
    """Else the machine would give up on a function that is still at work."""
    for state in definition(name)["States"].values():
        resource = state.get("Resource", "")
        if resource.startswith("${"):
            function = functions()[resource.removeprefix("${").removesuffix("Arn}")]
            assert state["TimeoutSeconds"] > function["Timeout"]


def test_S4_polling_stays_within_the_history_before_it_is_renewed() -> None:
    states = definition("ActivationMachine")["States"]
    assert states["Again"]["Choices"] == [{"Variable": "$.next", "StringEquals": "wait", "Next": "Wait"}]
    # Poll 5, Again 2, Wait 2; a poll that failed and was tried again costs 3 more for each try.
    usual, worst = 9, 9 + 3 * states["Poll"]["Retry"][0]["MaxAttempts"]
    assert 1_000 * usual < HISTORY
    assert 1_000 * worst < HISTORY


def test_S27_a_chunk_of_25_attempts_stays_within_the_history() -> None:
    attempts = DEFAULT.retries + 1
    assert attempts == 25
    # Watch, Next, Again, Pause, Attempt with every retry of every task.
    assert attempts * (6 + 18 + 5 + 24 + 2 + 2 + 5 + 24) < HISTORY


def test_S27_watching_ends_after_SES_has_given_up() -> None:
    assert definition("DeliveryMachine")["States"]["Watch"]["TimeoutSeconds"] > 10_800
