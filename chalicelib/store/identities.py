"""Identities that their owner made or changed, in the mail table: `A#acct / ID#id`, an item each.

Written in the mailbox's turn, so that its change log has them.
"""

from collections.abc import Callable, Sequence

from chalicelib.aws.table import ABSENT, Delete, Item, Put, Table
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.figures import DEFAULT, Figures
from chalicelib.rules.identities import MOST, Identity
from chalicelib.rules.ids import made_identity_id
from chalicelib.rules.values import Correspondent
from chalicelib.store.mailbox_items import account_pk
from chalicelib.store.mailbox_turn import Turn, in_turn

People = Sequence[Correspondent] | None


def _key(acct: str, id: str) -> dict[str, str]:
    return {"pk": account_pk(acct), "sk": f"ID#{id}"}


def _packed(people: People) -> list[list[str]] | None:
    return None if people is None else [[p.name, p.email] for p in people]


def _people(packed: list[list[str]] | None) -> tuple[Correspondent, ...] | None:
    return None if packed is None else tuple(Correspondent(name, email) for name, email in packed)


def _item(acct: str, identity: Identity) -> Item:
    return {
        **_key(acct, identity.id),
        "email": identity.email,
        "name": identity.name,
        "replyTo": _packed(identity.reply_to),
        "bcc": _packed(identity.bcc),
        "text": identity.text,
        "html": identity.html,
        "made": identity.made,
    }


def _identity(item: Item) -> Identity:
    return Identity(
        id=str(item["sk"]).removeprefix("ID#"),
        email=item["email"],
        name=item["name"],
        reply_to=_people(item["replyTo"]),
        bcc=_people(item["bcc"]),
        text=item["text"],
        html=item["html"],
        made=item["made"],
    )


class Identities:
    """The items. What writes: ServiceError not_found for an account without a mailbox, unavailable."""

    def __init__(self, table: Table, figures: Figures = DEFAULT) -> None:
        self._table, self._figures = table, figures

    def all(self, acct: str) -> list[Identity]:
        """Those that are kept of an account."""
        items = self._table.query_all(account_pk(acct), begins="ID#", consistent=True)
        return [_identity(item) for item in items]

    def get(self, acct: str, id: str) -> Identity | None:
        """One of them: a read unit."""
        item = self._table.get(_key(acct, id))
        return _identity(item) if item else None

    def create(self, acct: str, make: Callable[[str], Identity]) -> Identity:
        """Keep what is made under the id that is given. Raises ServiceError over_quota beyond the most."""

        def attempt() -> Identity:
            turn = Turn(self._table, acct, self._figures)
            if sum(known.made for known in self.all(acct)) >= MOST:
                raise ServiceError("over_quota", f"There can be at most {MOST}.", extra={"limit": MOST})
            identity = make(made_identity_id(acct, turn.state.modseq))
            turn.write(Put(_item(acct, identity), ABSENT))
            turn.log.note("Identity", "c", identity.id)
            turn.commit()
            return identity

        return in_turn(attempt)

    def change(self, acct: str, id: str, edit: Callable[[Identity | None], Identity]) -> Identity:
        """Keep what becomes of one; None: it was not kept yet. What `edit` raises is passed on."""

        def attempt() -> Identity:
            turn = Turn(self._table, acct, self._figures)
            old = self.get(acct, id)
            identity = edit(old)
            if identity != old:
                turn.write(Put(_item(acct, identity)))
                turn.log.note("Identity", "u", id)
                turn.commit()
            return identity

        return in_turn(attempt)

    def remove(self, acct: str, id: str) -> None:
        """Forget one. Raises ServiceError not_found."""

        def attempt() -> None:
            turn = Turn(self._table, acct, self._figures)
            if self.get(acct, id) is None:
                raise ServiceError("not_found", "There is no such identity.")
            turn.write(Delete(_key(acct, id)))
            turn.log.note("Identity", "d", id)
            turn.commit()

        in_turn(attempt)
