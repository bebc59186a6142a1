"""tools/operator.py: the first key of a stage, made with the account's credentials."""

from dataclasses import asdict
from unittest import mock

import pytest

from chalicelib.aws import clients
from chalicelib.services import signin
from chalicelib.services.platform import build
from chalicelib.settings import Settings
from tests.cloud import Clock
from tools import operator


def test_the_key_that_is_printed_opens_the_operators_api(
    settings: Settings, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {name.upper(): value for name, value in asdict(settings).items()}
    function = mock.Mock()
    function.get_function_configuration.return_value = {"Environment": {"Variables": variables}}
    with mock.patch.object(clients, "client", {"lambda": function}.__getitem__):
        made = operator.platform("test")
    with mock.patch.object(operator, "platform", lambda stage: made if stage == "test" else None):
        operator.main(["--stage", "test"])
    key = capsys.readouterr().out.strip()
    caller = signin.api_caller(build(settings), key, role="operator")
    assert clock.seconds
    assert (caller.role, caller.scopes) == ("operator", frozenset({"*"}))
    function.get_function_configuration.assert_called_once_with(FunctionName="plainpost-test-api_handler")


def test_a_stage_that_is_not_there_is_said_so(settings: Settings) -> None:
    assert settings.stage == "test"
    with pytest.raises(SystemExit, match="No key was made"):
        operator.main(["--stage", "nowhere"])
