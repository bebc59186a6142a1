"""The packaged template, deployed to ministack, with the local SES and DNS around it."""

import shutil
from collections.abc import Iterator

import pytest

from tests.ministack.deployment import Deployment, deployed


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One deployment for all tests here."""
    directory = tmp_path_factory.mktemp("ministack")
    with deployed(directory) as made:
        yield made
    shutil.rmtree(directory, ignore_errors=True)
