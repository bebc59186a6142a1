"""What a header must be like before its author may send it."""

import pytest

from chalicelib.rules import header
from chalicelib.rules.errors import ServiceError
from chalicelib.rules.values import Correspondent, Digest, Part


def people(*addresses: str) -> tuple[Correspondent, ...]:
    return tuple(Correspondent("", address) for address in addresses)


def digest(**fields: tuple[Correspondent, ...]) -> Digest:
    """With a From unless `fields` has one."""
    return Digest(
        subject="",
        from_=fields.get("from_", people("a@x.test")),
        to=fields.get("to", ()),
        cc=fields.get("cc", ()),
        bcc=fields.get("bcc", ()),
        reply_to=fields.get("reply_to", ()),
        sender=fields.get("sender", ()),
        message_id=(),
        in_reply_to=(),
        references=(),
        sent_at=None,
        preview="",
        has_attachment=False,
        structure=Part("1", "text/plain"),
    )


def wrong(names: list[str], known: Digest) -> list[str]:
    """Properties that are refused."""
    try:
        header.check(names, known)
    except ServiceError as error:
        return [fault.pointer for fault in error.faults if error.kind == "invalid_message"]
    return []


@pytest.mark.parametrize(("field", "shown"), header.ONCE.items())
def test_there_is_one_of_each(field: str, shown: str) -> None:
    assert wrong(["From", field.title()] if field != "from" else ["From"], digest()) == []
    assert wrong([field.upper(), "X-Other", field.title()], digest()) == [f"/{shown}"]


def test_others_may_repeat() -> None:
    assert wrong(["From", "Received", "Received", "X-A", "X-A", "Comments", "Comments"], digest()) == []


@pytest.mark.parametrize(
    ("known", "refused"),
    [
        (digest(from_=()), ["/from"]),
        (digest(from_=(), sender=people("a@x.test")), ["/from"]),
        (digest(from_=people("a@x.test", "b@x.test")), ["/sender"]),
        (digest(from_=people("a@x.test", "b@x.test"), sender=people("a@x.test")), []),
        (digest(sender=people("a@x.test", "b@x.test")), ["/sender"]),
        (digest(to=people("half typed"), cc=people("@x.test", "b@"), reply_to=people("a@b c")), None),
        (digest(to=people('"a b"@x.test', "ü@bücher.test", "a@[192.0.2.1]", "x@localhost")), []),
    ],
)
def test_addresses(known: Digest, refused: list[str] | None) -> None:
    assert wrong(["From"], known) == (["/replyTo", "/to", "/cc"] if refused is None else refused)
