"""The post office of the service tests, with the app's own handlers in front of it."""

from typing import TYPE_CHECKING

import pytest

from tests.services.conftest import post

if TYPE_CHECKING:
    from tests.services.post import Post

__all__ = ["office", "post"]
MODULES = ("activation", "arrivals", "bounces", "delivery", "outcomes", "outgoing", "schedules")


@pytest.fixture
def office(post: "Post", monkeypatch: pytest.MonkeyPatch) -> "Post":
    """A post office that the handlers work for."""
    for name in MODULES:
        monkeypatch.setattr(f"chalicelib.events.{name}.platform", lambda: post.p)
    return post
