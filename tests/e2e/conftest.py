"""One local cloud for all end-to-end tests, started as a user starts it and reached by its public ports."""

from collections.abc import Iterator

import pytest

from tools.town import Town, running


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The running local cloud."""
    with running(tmp_path_factory.mktemp("town")) as started:
        yield started
