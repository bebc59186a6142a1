"""The seeded tenant, one for each file that asks for it."""

from collections.abc import Iterator

import pytest

from chalicelib.aws import clock as clocks
from tests.api.tenant import Tenant, tenant
from tests.cloud import Clock, cloud
from tests.registry import registry


@pytest.fixture(scope="module")
def town() -> Iterator[Tenant]:
    """Both resellers with everything. Whoever changes something does it inside `town.undone()`."""
    standing = Clock()
    clocks.install(lambda: standing.seconds)
    with cloud() as settings, registry(settings, standing) as opened:
        yield tenant(opened)
