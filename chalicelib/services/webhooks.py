"""Telling resellers' servers what changed (S40): in order, at least once, each webhook for itself."""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from chalicelib.aws import clock, http
from chalicelib.aws.log import logger
from chalicelib.rules import webhooks as rules
from chalicelib.rules.errors import Fault, ServiceError
from chalicelib.rules.journal import Event, ids_before, is_id, is_type
from chalicelib.rules.values import SYSTEM, Caller
from chalicelib.rules.webhooks import Attempt, UrlError, Webhook
from chalicelib.services import audit, events, notify, outside
from chalicelib.services.platform import Platform

RUN_SECONDS = 45.0  # of the minute between two runs; no attempt is begun after that
POST_SECONDS = 5.0
LEASE = timedelta(seconds=120)  # more than a run has; a run that died is taken over after it
AT_ONCE = 16
PAGE = 50
TESTS_A_MINUTE = 10
Json = dict[str, Any]


# --------------------------------------------------------------------------------------------- what there is
def create(p: Platform, caller: Caller, url: str, types: Sequence[str]) -> Webhook:
    """A webhook for what happens from now on. Its secret is told in this answer alone.

    Raises ServiceError: invalid, conflict (too many).
    """
    _check(p, {"url": url, "types": types})
    if len(p.webhooks.of_reseller(caller.reseller)) >= rules.MOST:
        detail = f"There are {rules.MOST} webhooks already, which is as many as there can be."
        raise ServiceError("conflict", detail, extra={"limit": rules.MOST, "remaining": 0})
    hook = Webhook(
        id=f"w{secrets.token_hex(8)}",
        reseller=caller.reseller,
        url=url,
        types=tuple(types),
        secret=_secret(),
        after=events.latest(),
        created_at=clock.now(),
    )
    p.webhooks.add(hook, [_note(caller, "webhook.created", hook, {}, _settings(hook))])
    return hook


def find(p: Platform, reseller: str, id: str) -> Webhook:
    """A reseller's webhook. Raises ServiceError not_found."""
    found = p.webhooks.get(reseller, id)
    if found is None:
        raise ServiceError("not_found", "There is no such webhook.")
    return found


def change(p: Platform, caller: Caller, hook: Webhook, given: Mapping[str, Any]) -> Webhook:
    """Change url, types, state, or where it goes on (`after`). Made active, it starts with a clean slate.

    Raises ServiceError: invalid, conflict.
    """
    _check(p, given)
    wanted: Json = {name: tuple(value) if name == "types" else value for name, value in given.items()}
    changed = replace(hook, **wanted)
    if "after" in wanted or "url" in wanted or wanted.get("state") == "active":
        changed = replace(changed, failures=0, failing_since=None, next_at=None)
    if changed == hook:
        return hook
    note = _note(caller, "webhook.changed", hook, _settings(hook), _settings(changed))
    _done(p.webhooks.change(hook, changed, [note]))
    return find(p, hook.reseller, hook.id)


def rotate(p: Platform, caller: Caller, hook: Webhook) -> Webhook:
    """A new secret; the one before signs beside it for a day. Raises ServiceError conflict."""
    until = clock.now() + rules.TWO_SECRETS
    changed = replace(hook, secret=_secret(), previous_secret=hook.secret, previous_until=until)
    note = _note(caller, "webhook.rotated", hook, {}, {"secret": changed.secret})
    _done(p.webhooks.change(hook, changed, [note]))
    return changed


def delete(p: Platform, caller: Caller, hook: Webhook) -> None:
    """Remove it. Raises ServiceError conflict."""
    _done(p.webhooks.delete(hook, [_note(caller, "webhook.deleted", hook, _settings(hook), {})]))


def _done(done: bool) -> None:
    if not done:
        raise ServiceError("conflict", "The webhook was changed at the same moment. Please try again.")


def _secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def _settings(hook: Webhook) -> Json:
    return {"url": hook.url, "types": list(hook.types), "state": hook.state, "after": hook.after}


def _note(caller: Caller, type: str, hook: Webhook, before: Json, after: Json) -> Any:
    return audit.note(caller, type, hook.id, reseller=hook.reseller, before=before, after=after)


def _check(p: Platform, given: Mapping[str, Any]) -> None:
    faults = []
    try:
        _ = rules.target(given["url"], here=outside.here(p)) if "url" in given else None
    except UrlError as error:
        faults.append(Fault("/url", str(error)))
    types = given.get("types", ())
    if len(types) > rules.MOST_TYPES:
        faults.append(Fault("/types", f"At most {rules.MOST_TYPES} types."))
    for number, name in enumerate(types[: rules.MOST_TYPES]):
        if not is_type(name):
            faults.append(Fault(f"/types/{number}", 'A type is like "mailbox.created", "mailbox.*" or "*".'))
    after = given.get("after", "")
    if after and not is_id(after):
        faults.append(Fault("/after", "The id of an event; empty: from the oldest that is kept."))
    if faults:
        raise ServiceError("invalid", "The webhook cannot be like that.", tuple(faults))


# ----------------------------------------------------------------------------------------------- one POST
def document(event: Event) -> Json:
    """An event as it is sent: the same as GET /v1/events gives."""
    names = ("id", "type", "subject", "domain", "actor", "source")
    at = event.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = {name: getattr(event, name) for name in names}
    return {**told, "at": at, "before": dict(event.before), "after": dict(event.after)}


def _post(p: Platform, hook: Webhook, event: Event) -> Attempt:
    """One attempt, whatever becomes of it. Runs in a thread of its own: it touches no store."""
    now = clock.now()
    try:
        target = rules.target(hook.url, here=outside.here(p))
        address = outside.address(p, target)
    except UrlError as error:
        return Attempt(now, event.id, event.type, None, str(error), 0)
    body = json.dumps(document(event), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "webhook/1",
        "Webhook-Id": event.id,
        "Webhook-Signature": rules.signature(rules.secrets_at(hook, now), now, body),
    }
    place = (target.host, target.port, target.path, target.tls)
    posted = http.post(place, address, headers, body, POST_SECONDS)
    return Attempt(now, event.id, event.type, posted.status, posted.detail, posted.milliseconds)


def probe(p: Platform, hook: Webhook) -> Attempt:
    """Post an event of the type webhook.test now; what became of it. Raises ServiceError throttled."""
    now = clock.now()
    number, left = divmod(int(now.timestamp()), 60)
    ends = now + timedelta(seconds=60 - left)
    if p.sessions.count(f"hooktest#{hook.reseller}", number, ends) > TESTS_A_MINUTE:
        detail = f"At most {TESTS_A_MINUTE} tests a minute."
        raise ServiceError("throttled", detail, extra={"limit": TESTS_A_MINUTE, "retry_after": 60 - left})
    id = f"{ids_before(now)}{secrets.token_hex(6)}"
    attempt = _post(p, hook, Event(id, now, "webhook.test", hook.id, hook.reseller, "", "system", ""))
    p.webhooks.log(hook, attempt)
    return attempt


# ------------------------------------------------------------------------------------------------ the pump
@dataclass
class Run:
    """What one run did."""

    delivered: int = 0
    failed: int = 0


@dataclass
class _Turn:
    """A webhook that is worked on: leased, with events that wait."""

    hook: Webhook
    token: str
    stop: float
    waiting: list[Event] = field(default_factory=list)
    more: bool = True
    seen: str = ""  # the last event that was looked at, wanted or not


def run(p: Platform, run_seconds: float = RUN_SECONDS) -> Run:
    """Deliver what waits, for at most so long. Stores are touched by this thread alone; only POSTs are many.

    One that cannot be delivered holds up its own webhook and no other. A run that dies before it writes down
    how far it came leaves an event to be posted again, by who takes over when the lease has ended.
    """
    done, stop = Run(), time.monotonic() + run_seconds
    posting: dict[Future[Attempt], _Turn] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:

        def go_on(turn: _Turn) -> None:
            if event := _next(p, turn):
                posting[pool.submit(_post, p, turn.hook, event)] = turn

        for hook in p.webhooks.active():
            with _alone(hook):
                if turn := _begun(p, hook, stop):
                    go_on(turn)
        while posting:
            for future in wait(posting, return_when=FIRST_COMPLETED).done:
                turn = posting.pop(future)
                with _alone(turn.hook):
                    if _settled(p, turn, future.result(), done):
                        go_on(turn)
    logger.info("webhooks", extra={"delivered": done.delivered, "failed": done.failed})
    return done


@contextmanager
def _alone(hook: Webhook) -> Iterator[None]:
    """What goes wrong with one is left to its lease's end, and holds up no other."""
    try:
        yield
    except Exception:
        logger.exception("a webhook was left", extra={"webhook": hook.id})


def _begun(p: Platform, hook: Webhook, stop: float) -> _Turn | None:
    """Work on it, where there is something to do, it may be done now, and nobody else does it."""
    now = clock.now()
    if (hook.next_at and hook.next_at > now) or time.monotonic() > stop:
        return None
    waits = events.following(p, hook.reseller, hook.after, 1, hook.types)
    if waits.cursor == hook.after:
        return None
    token = secrets.token_hex(8)
    leased = p.webhooks.lease(hook, token, now, LEASE)
    return _Turn(leased, token, stop, seen=leased.after) if leased else None


def _next(p: Platform, turn: _Turn) -> Event | None:
    """The next event to post; None: there is none, or no time, and the webhook is free again."""
    hook = turn.hook
    while time.monotonic() < turn.stop:
        if turn.waiting:
            return turn.waiting.pop(0)
        if turn.seen != hook.after:
            _advanced(p, turn, turn.seen)
        if not turn.more:
            break
        passed = events.following(p, hook.reseller, turn.seen, PAGE, hook.types)
        turn.waiting, turn.seen, turn.more = list(passed.events), passed.cursor, passed.more
    p.webhooks.release(turn.hook, turn.token)
    return None


def _advanced(p: Platform, turn: _Turn, after: str) -> bool:
    held = p.webhooks.advance(turn.hook, turn.token, after, clock.now() + LEASE)
    turn.hook = replace(turn.hook, after=after, failures=0, failing_since=None)
    return held


def _settled(p: Platform, turn: _Turn, attempt: Attempt, done: Run) -> bool:
    """Write down what became of an attempt. Whether to go on with the webhook."""
    p.webhooks.log(turn.hook, attempt)
    if attempt.ok:
        done.delivered += 1
        return _advanced(p, turn, attempt.event)
    done.failed += 1
    since, now = turn.hook.failing_since or attempt.at, clock.now()
    if rules.given_up(since, now):
        _give_up(p, turn, attempt)
    else:
        p.webhooks.failed(turn.hook, turn.token, since, now + rules.pause(turn.hook.failures + 1))
    return False


def _give_up(p: Platform, turn: _Turn, attempt: Attempt) -> None:
    """Tell its reseller, once, and leave it alone."""
    hook = turn.hook
    since = hook.failing_since or attempt.at
    answer = f"HTTP status {attempt.status}" if attempt.status else attempt.detail
    text = (
        f"The webhook {hook.id} has taken no event since {since:%Y-%m-%d %H:%M} UTC, and is switched off.\n"
        f"The last attempt: {answer}\n\n"
        "Nothing is lost: what changed is kept. When your server is well again, switch the webhook on by\n"
        f'PATCH /v1/webhooks/{hook.id} with {{"state": "active"}}.\n'
        "It goes on with the first event that is missing.\n"
    )
    notify.reseller(
        p, hook.reseller, f"{hook.id}-{int(since.timestamp())}", "A webhook was switched off", text
    )
    before, after = {"state": "active"}, {"state": "disabled"}
    p.webhooks.disable(hook, turn.token, [_note(SYSTEM, "webhook.disabled", hook, before, after)])
