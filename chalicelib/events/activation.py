"""The poll of the activation state machine."""

from typing import Any

from chalicelib.services import activation
from chalicelib.services.platform import platform


def poll(event: dict[str, Any]) -> dict[str, Any]:
    """The machine's state, with what comes next ("wait", "done" or "renewed") and how long to wait."""
    return dict(activation.poll(platform(), event))
