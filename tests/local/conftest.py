"""The whole local cloud as a fixture: infra/'s template, the packaged app, no edges."""

from collections.abc import Iterator

import pytest

from local.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Everything of `local.stack`, on free ports, once per module: moto's state is the process's,
    so it must not run beside the `settings` fixture or another stack."""
    with Stack() as running:
        yield running
