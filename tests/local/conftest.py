"""The whole local cloud as a fixture: infra/'s template, the packaged app, no edges."""

from collections.abc import Iterator

import pytest

from local.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Everything of `local.stack`, on free ports, once per session."""
    with Stack() as running:
        yield running
