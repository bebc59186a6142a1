"""App passwords: made here, not chosen, for mail programs that know no second factor (S23).

Twenty letters: four that name it, so that one read finds it, and sixteen of 80 random bits, kept as a quick
hash (throttle.digest says why).
"""

import hmac
import re
import secrets
from collections.abc import Collection
from typing import cast

from chalicelib.aws import clock
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.signin import APP_DOORS, LONGEST_LABEL, MOST_APPS, AppPassword, Door
from chalicelib.rules.values import Account, Caller
from chalicelib.services import passwords
from chalicelib.services.platform import Platform
from chalicelib.services.throttle import digest

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_SHAPE = re.compile(rf"[{_ALPHABET}]{{20}}")
_NAME = 4
NOBODY = "nobody"


def listed(p: Platform, account: Account) -> list[AppPassword]:
    """A mailbox's app passwords, oldest first."""
    return p.credentials.apps(account)


def create(
    p: Platform, caller: Caller, account: Account, label: str, doors: Collection[str]
) -> tuple[AppPassword, str]:
    """A new one, and its text, which is seen this once. Raises ServiceError: invalid, conflict."""
    faults = tuple(_faults(label, doors))
    if faults:
        raise ServiceError("invalid", "This app password cannot be made.", faults)
    present = p.credentials.apps(account)
    if len(present) >= MOST_APPS:
        extra = {"limit": MOST_APPS, "used": len(present), "remaining": 0, "unit": "app passwords"}
        raise ServiceError("conflict", f"A mailbox has at most {MOST_APPS} app passwords.", extra=extra)
    text = "".join(secrets.choice(_ALPHABET) for _ in range(20))
    made = AppPassword(
        text[:_NAME], label, frozenset(doors), _hash(account.id, text), account.epoch, clock.now()
    )
    told = {"label": label, "doors": sorted(doors)}
    event = passwords.note(caller, "app_password.created", account, **told)
    passwords.commit(p, account, [p.credentials.app_put(account, made), event])
    return made, "-".join(text[at : at + 4] for at in range(0, 20, 4))


def _faults(label: str, doors: Collection[str]) -> list[Fault]:
    found = []
    if not 1 <= len(label) <= LONGEST_LABEL or not label.isprintable():
        found.append(Fault("/label", f"A label has 1 to {LONGEST_LABEL} printable characters."))
    if not doors or not set(doors) <= APP_DOORS:
        found.append(Fault("/doors", f"Of {', '.join(sorted(APP_DOORS))}, at least one."))
    return found


def remove(p: Platform, caller: Caller, account: Account, id: str) -> None:
    """It opens nothing any more. Raises ServiceError not_found."""
    found = next((app for app in p.credentials.apps(account) if app.id == id), None)
    if found is None:
        raise ServiceError("not_found", "There is no such app password.")
    event = passwords.note(caller, "app_password.deleted", account, label=found.label)
    passwords.commit(p, account, [p.credentials.app_gone(account.id, id), event])


def opened(p: Platform, account: Account | None, door: Door, text: str) -> AppPassword | None:
    """Which app password of the account this is; None: none. One read, whoever it is and whoever is not."""
    plain = text.replace("-", "").replace(" ", "").lower()
    if door not in APP_DOORS or not _SHAPE.fullmatch(plain):
        return None
    owner = account.id if account else NOBODY
    found = p.credentials.app(owner, plain[:_NAME])
    if found is None or account is None or found.epoch != account.epoch:
        return None
    return found if hmac.compare_digest(found.hash, _hash(owner, plain)) else None


def _hash(account: str, plain: str) -> str:
    return digest(f"{account} {plain}")


def used(p: Platform, account: Account, app: AppPassword, door: Door) -> None:
    """Note the day; refuse a door it is not for. Raises ServiceError app_password_required."""
    if door not in cast(Collection[str], app.doors):
        raise ServiceError(
            "app_password_required",
            f"This app password is not for {door.upper()}. One that is can be made in webmail.",
        )
    today = clock.now().date().isoformat()
    if app.used_on != today:
        p.credentials.app_used(account.id, app.id, today)
