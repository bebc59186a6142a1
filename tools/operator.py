"""The operator's API key of a stage: `python -m tools.operator --stage prod` prints a new one, once.

The first one has to come from somewhere: it is made with the credentials of the environment, straight into
the stage's directory table. Further keys are made with it by the API (/v1/operator/keys), which ends it too.
"""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import settings
from chalicelib.aws import clients
from chalicelib.services import accounts
from chalicelib.services.platform import Platform, build


def platform(stage: str) -> Platform:
    """The platform of a deployed stage, by the environment of its API function."""
    lambda_ = clients.client("lambda")
    found = lambda_.get_function_configuration(FunctionName=f"plainpost-{stage}-api_handler")
    return build(settings.load(found["Environment"]["Variables"]))


def main(arguments: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--label", default="first operator key")
    given = parser.parse_args(arguments)
    try:
        key = accounts.issue_key(platform(given.stage), "", ["*"], label=given.label)
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"No key was made: {error}")
    print(key)


if __name__ == "__main__":
    main()
