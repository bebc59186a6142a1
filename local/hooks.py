"""Hooks into every call of AWS that this process makes, by boto3's usual session too."""

from collections.abc import Callable
from typing import Any

import boto3
import botocore.handlers


def before_send(hook: Callable[..., Any], *, last: bool = False) -> None:
    """Have a hook see each call of clients that are made from now on; `last`: after all others.

    botocore gives a session its hooks when it is made. The usual one may be there already, and what it makes
    later would know nothing of a hook that came after it.
    """
    entry = ("before-send", hook, botocore.handlers.REGISTER_LAST) if last else ("before-send", hook)
    if entry in botocore.handlers.BUILTIN_HANDLERS:
        return
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    if boto3.DEFAULT_SESSION is not None:
        events = boto3.DEFAULT_SESSION.events
        (events.register_last if last else events.register)("before-send", hook)
