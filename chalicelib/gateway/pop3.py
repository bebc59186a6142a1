"""POP3 (RFC 1939, CAPA RFC 2449, STLS RFC 2595, codes RFC 3206): the inbox, message by message."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chalicelib.aws.log import logger
from chalicelib.gateway.lines import Closed, Lines
from chalicelib.rules.errors import Kind, ServiceError
from chalicelib.rules.values import Account, Row
from chalicelib.services import mailbox, quota, signin
from chalicelib.services.platform import Platform

#: RFC 3206: what a client should make of a refused log-in.
#:
#: Only [AUTH] makes it ask for another password. Of the others [SYS/TEMP] need not be shown ("no need to
#: alarm the user"), while for [SYS/PERM] the text is to be: so the alerts of S15 and S18 go out under it.
CODES: dict[Kind, str] = {
    "bad_credentials": "[AUTH] ",
    "app_password_required": "[AUTH] ",
    "domain_pending": "[AUTH] ",
    "domain_suspended": "[AUTH] ",
    "account_suspended": "[AUTH] ",
    "throttled": "[SYS/TEMP] ",
    "unavailable": "[SYS/TEMP] ",
}
ALERT = "[SYS/PERM] "
PAGE = 250
Handler = Callable[["Session", str], Awaitable[None]]


class Refusal(Exception):
    """A command that cannot be obeyed; the text follows -ERR."""


@dataclass
class Session:
    """One connection. Message numbers are positions in `rows`, oldest first, from 1."""

    platform: Platform
    lines: Lines
    tls: ssl.SSLContext | None
    user: str = ""
    alert: str = ""  # S15: what refused this connection's log-in
    account: Account | None = None
    rows: list[Row] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    open: bool = True

    async def ok(self, text: str = "", *more: str) -> None:
        """A positive answer, and the lines of a listing with its end."""
        ending = [*more, "."] if more or text.endswith("follows") else []
        await self.lines.write(f"+OK {text}".rstrip(), *ending)

    def row(self, text: str) -> tuple[int, Row]:
        """The message with that number. Raises Refusal."""
        number = int(text) if text.isdecimal() else 0
        if not 1 <= number <= len(self.rows) or number in self.deleted:
            raise Refusal("no such message")
        return number, self.rows[number - 1]

    def kept(self) -> list[tuple[int, Row]]:
        """What is not marked as deleted."""
        return [(n, row) for n, row in enumerate(self.rows, 1) if n not in self.deleted]


async def _capa(session: Session, _: str) -> None:
    offers = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]
    if session.tls and not session.lines.secure:
        offers.append("STLS")
    if session.lines.secure and not session.account:
        offers.append("USER")
    await session.ok("capabilities follows", *offers)


async def _stls(session: Session, _: str) -> None:
    if not session.tls or session.lines.secure or session.account:
        raise Refusal("TLS cannot start here")
    await session.ok("begin TLS")
    await session.lines.start_tls(session.tls)


async def _user(session: Session, name: str) -> None:
    if not session.lines.secure:
        raise Refusal("start TLS before signing in")  # S24
    session.user = name
    await session.ok("password please")


async def _pass(session: Session, password: str) -> None:
    if not session.user:
        raise Refusal("USER first")
    user, session.user = session.user, ""
    account = await asyncio.to_thread(
        signin.authenticate, session.platform, user, password, door="pop3", source=session.lines.peer
    )
    alert = await asyncio.to_thread(quota.alert, session.platform, account, "pop3")
    session.alert = session.alert or (alert.text if alert else "")
    if session.alert:
        raise Refusal(ALERT + session.alert)
    session.rows = await asyncio.to_thread(_inbox, session.platform, account)
    session.account = account
    await session.ok(f"{len(session.rows)} messages")


def _inbox(p: Platform, account: Account) -> list[Row]:
    """Every row of the inbox, oldest first."""
    inbox = next(f for f in mailbox.folders(p, account.id) if f.role == "inbox")
    rows: list[Row] = []
    cursor: str | None = None
    while True:
        page = mailbox.page(p, account.id, inbox.id, PAGE, cursor)
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            return rows[::-1]


async def _stat(session: Session, _: str) -> None:
    kept = session.kept()
    await session.ok(f"{len(kept)} {sum(row.size for _, row in kept)}")


async def _list(session: Session, which: str) -> None:
    if which:
        number, row = session.row(which)
        await session.ok(f"{number} {row.size}")
    else:
        await session.ok("listing follows", *[f"{n} {row.size}" for n, row in session.kept()])


async def _uidl(session: Session, which: str) -> None:
    if which:
        number, row = session.row(which)
        await session.ok(f"{number} {row.id}")
    else:
        await session.ok("listing follows", *[f"{n} {row.id}" for n, row in session.kept()])


async def _retr(session: Session, which: str) -> None:
    _, row = session.row(which)
    await session.ok(f"{row.size} octets")
    await session.lines.send(stuffed(await _raw(session, row)))


async def _top(session: Session, arguments: str) -> None:
    which, _, count = arguments.partition(" ")
    _, row = session.row(which)
    if not count.isdecimal():
        raise Refusal("TOP takes a message and a number of lines")
    head, _, body = (await _raw(session, row)).partition(b"\r\n\r\n")
    wanted = b"\r\n".join(body.split(b"\r\n")[: int(count)])
    await session.ok("top of message")
    await session.lines.send(stuffed(head + b"\r\n\r\n" + wanted))


async def _raw(session: Session, row: Row) -> bytes:
    return await asyncio.to_thread(session.platform.blobs.get, row.blob)


def stuffed(message: bytes) -> bytes:
    """RFC 1939 §3: CRLF lines, a dot before a leading dot, and the closing dot."""
    lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


async def _dele(session: Session, which: str) -> None:
    number, _ = session.row(which)
    session.deleted.add(number)
    await session.ok("marked")


async def _rset(session: Session, _: str) -> None:
    session.deleted.clear()
    await session.ok()


async def _noop(session: Session, _: str) -> None:
    await session.ok()


async def _quit(session: Session, _: str) -> None:
    """RFC 1939 §6: only now is anything deleted."""
    session.open = False
    if session.account and session.deleted:
        ids = [session.rows[n - 1].id for n in sorted(session.deleted)]
        await asyncio.to_thread(mailbox.destroy, session.platform, session.account.id, ids)
    await session.ok("bye")


BEFORE: dict[str, Handler] = {"CAPA": _capa, "STLS": _stls, "USER": _user, "PASS": _pass, "QUIT": _quit}
AFTER: dict[str, Handler] = {
    "CAPA": _capa,
    "STAT": _stat,
    "LIST": _list,
    "UIDL": _uidl,
    "RETR": _retr,
    "TOP": _top,
    "DELE": _dele,
    "RSET": _rset,
    "NOOP": _noop,
    "QUIT": _quit,
}


async def _obey(session: Session, line: str) -> None:
    """One command and its answer."""
    verb, _, arguments = line.partition(" ")
    handler = (AFTER if session.account else BEFORE).get(verb.upper())
    if handler is None:
        known = verb.upper() in AFTER or verb.upper() in BEFORE
        raise Refusal("not now" if known else "unknown command")
    await handler(session, arguments if verb.upper() == "PASS" else arguments.strip())


async def serve(platform: Platform, lines: Lines, tls: ssl.SSLContext | None) -> None:
    """Speak with one client until it leaves."""
    session = Session(platform, lines, tls)
    try:
        await session.ok("ready")
        while session.open:
            line = await lines.read()
            try:
                await _obey(session, line)
            except Refusal as refusal:
                await lines.write(f"-ERR {refusal}")
            except ServiceError as error:
                await lines.write(f"-ERR {CODES.get(error.kind, '')}{error.detail}")
    except Closed:
        logger.debug("pop3 client left")
    finally:
        await lines.close()
