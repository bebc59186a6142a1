"""Deploying again: nothing new changes nothing, a new parameter reaches the functions."""

from dataclasses import replace

from tests import packaged
from tests.ministack.deployment import Deployment, for_ministack
from tools import deploy


def variable(place: Deployment, name: str) -> str:
    found = place.engine.client("lambda").get_function_configuration(
        FunctionName=place.outputs["APIHandlerName"]
    )
    return str(found["Environment"]["Variables"][name])


def release(place: Deployment, **parameters: str) -> dict[str, str]:
    stack = replace(place.stack, parameters={**place.stack.parameters, **parameters})
    return deploy.release(stack, for_ministack(packaged.template()), packaged.packaged().code)


def test_a_second_deployment_of_the_same_changes_nothing(place: Deployment) -> None:
    assert release(place) == place.outputs


def test_a_new_parameter_reaches_the_functions(place: Deployment) -> None:
    before = variable(place, "WEB_HOST")
    assert release(place, WebHost="other.emailmx.test") == place.outputs
    assert variable(place, "WEB_HOST") == "other.emailmx.test"
    release(place, WebHost=before)
    assert variable(place, "WEB_HOST") == before
