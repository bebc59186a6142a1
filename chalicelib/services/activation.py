"""Domains go live when their MX is here, and stop when it has moved away (S4 to S8)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.aws import clock
from chalicelib.aws.dns import Answer
from chalicelib.aws.log import logger
from chalicelib.rules import activation as rules
from chalicelib.rules.activation import Drift
from chalicelib.rules.dnsrecords import Hosts, Judgement, Wanted, judge, judge_mx, mx_host, wanted
from chalicelib.rules.hosted import DnsRow, HostedDomain
from chalicelib.services import notify, orders
from chalicelib.services.platform import Platform

EVIDENCE_LIFE = timedelta(days=400)
WATCHED_AT_ONCE = 100
INPUT = ("domain", "order", "run", "polls", "started_at")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a domain's records found."""

    rows: tuple[DnsRow, ...]
    mx: Judgement
    answer: Answer  # of the MX
    verified: bool  # the SES identity, where that gate is on and the MX right


# ---------------------------------------------------------------------------------------------- looking
def expected(p: Platform, domain: HostedDomain) -> list[Wanted]:
    """The records a domain's owner publishes."""
    hosts = Hosts(p.settings.mail_zone, p.settings.web_host, p.settings.admin_host)
    return wanted(domain.name, hosts, domain.tokens, domain.dkim_zone, _gate(p))


def rows(p: Platform, domain: HostedDomain) -> list[DnsRow]:
    """Those records with their states as last looked up; unknown where never."""
    kept = {(row.name, row.type, row.value): row for row in p.directory.dns(domain.name)}
    return [kept.get((w.name, w.type, w.value)) or _row(w) for w in expected(p, domain)]


def _look(p: Platform, domain: HostedDomain) -> Look:
    """Look all records up now, and keep what was seen."""
    records, now = expected(p, domain), clock.now()
    answers = p.resolver.lookup_all((w.name, w.type) for w in records)
    seen = tuple(_seen(w, answer, now) for w, answer in zip(records, answers, strict=True))
    mx, answer = next((row.state, a) for row, a in zip(seen, answers, strict=True) if row.purpose == "mx")
    look = Look(seen, mx, answer, mx == "ok" and _verified(p, domain))
    expires = int((now + EVIDENCE_LIFE).timestamp())
    p.directory.keep_look(domain.name, seen, _evidence(look, now), expires)
    return look


def _row(w: Wanted) -> DnsRow:
    return DnsRow(w.name, w.type, w.value, w.purpose, w.required)


def _seen(w: Wanted, answer: Answer, now: datetime) -> DnsRow:
    return DnsRow(
        w.name,
        w.type,
        w.value,
        w.purpose,
        w.required,
        state=judge(w, answer.status, answer.values),
        seen=answer.values,
        ttl=answer.ttl if answer.status == "ok" else None,
        resolver=answer.resolver,
        checked_at=now,
    )


def _evidence(look: Look, now: datetime) -> dict[str, Any]:
    """S4: who said what, for how long, and when."""
    answer = look.answer
    return {
        "at": now.isoformat(),
        "resolver": answer.resolver,
        "status": answer.status,
        "values": list(answer.values),
        "answer_ttl": answer.ttl,
        "mx": look.mx,
        "verified": look.verified,
    }


def _gate(p: Platform) -> bool:
    return p.settings.identity_gate == "on"


def _verified(p: Platform, domain: HostedDomain) -> bool:
    if not _gate(p):
        return True
    identity = p.mail.identity(domain.name)
    return identity is not None and identity.verified


# --------------------------------------------------------------------------------------------- settling
def check(p: Platform, domain: HostedDomain) -> HostedDomain:
    """Look now, and let follow what follows; the domain as it is then."""
    look = _look(p, domain)
    if domain.state in ("pending", "mx_lost"):
        _activate(p, domain, look)
    elif domain.state == "live":
        _drift(p, domain, look.mx)
    return p.directory.domain(domain.name) or domain


def _activate(p: Platform, domain: HostedDomain, look: Look) -> bool:
    """S4, S7: live where the gates are open. Whether it was this that made it so."""
    if not rules.may_activate(look.mx, identity_gate=_gate(p), identity_verified=look.verified):
        return False
    changes: dict[str, Any] = {"state": "live"}
    if domain.live_at is None:
        changes["live_at"] = clock.now()
    given = {"state": domain.state, "order": domain.order}
    if not p.directory.change_domain(
        domain.name, changes, given=given, remove=("misses", "missing_since", "lost_at")
    ):
        return False
    logger.info("domain is live", extra={"domain": domain.name, "was": domain.state})
    return True


def _drift(p: Platform, domain: HostedDomain, mx: Judgement) -> None:
    """S7: count looks without our MX; after several over time, the domain is no longer local."""
    now, before = clock.now(), Drift(domain.misses, domain.missing_since)
    after = rules.drift(before, mx, now)
    given = {"state": "live", "order": domain.order, "misses": domain.misses or None}
    if rules.lost(after, now, p.figures):
        _lose(p, domain, after.since or now)
    elif after != before and after.misses:
        changes = {"misses": after.misses, "missing_since": after.since}
        p.directory.change_domain(domain.name, changes, given=given)
    elif after != before:
        p.directory.change_domain(domain.name, {}, given=given, remove=("misses", "missing_since"))


def _lose(p: Platform, domain: HostedDomain, since: datetime) -> None:
    """S7. Told first, once per loss: a crash in between tells nobody twice and forgets nobody."""
    key = f"mx-lost-{domain.order}-{int(since.timestamp())}"
    lines = (
        f"The MX record of {domain.name} has not pointed to this mail service since"
        f" {since:%Y-%m-%d %H:%M} UTC.",
        f"New mail for {domain.name} is no longer taken in here. Nothing that is stored is lost.",
        "",
        f"To go on, publish this record: {domain.name} MX 10 {mx_host(domain.name, p.settings.mail_zone)}.",
    )
    subject = f"Mail of {domain.name} goes elsewhere"
    notify.reseller(p, domain.reseller, key, subject, "\n".join(lines))
    notify.admins(p, domain.name, key, subject, "\n".join((*lines[:2], "", "Please ask your mail provider.")))
    changes = {"state": "mx_lost", "lost_at": clock.now()}
    p.directory.change_domain(domain.name, changes, given={"state": "live", "order": domain.order})
    logger.info("domain lost its MX", extra={"domain": domain.name, "since": since.isoformat()})


# ------------------------------------------------------------------------------------- the state machine
def poll(p: Platform, state: Mapping[str, Any]) -> dict[str, Any]:
    """One poll of the activation machine: its state, with `next` (wait, done, renewed) and `wait_seconds`."""
    after = {**{name: state[name] for name in INPUT}, "polls": state["polls"] + 1, "wait_seconds": 0}
    domain = p.directory.domain(state["domain"])
    if domain is None or domain.order != state["order"] or domain.state != "pending":
        return {**after, "next": "done"}
    look = _look(p, domain)
    if _activate(p, domain, look):
        return {**after, "next": "done"}
    age = clock.now() - domain.ordered_at
    _notice(p, domain, age)
    if rules.run_is_full(after["polls"], p.figures):
        _renew(p, after)
        return {**after, "next": "renewed"}
    return {**after, "next": "wait", "wait_seconds": int(rules.wait(age, p.figures).total_seconds())}


def _renew(p: Platform, state: Mapping[str, Any]) -> None:
    """The next run goes on where this one ends; its name makes it one, however often this is repeated."""
    run = state["run"] + 1
    following = {**{name: state[name] for name in INPUT}, "run": run, "polls": 0}
    p.workflows.start(p.settings.activation_machine, f"{state['order']}-{run}", following)


def _notice(p: Platform, domain: HostedDomain, age: timedelta) -> None:
    """S6: one notice to the reseller. Its id makes it one; the mark saves trying again."""
    if domain.noticed_at or not rules.notice_due(age, p.figures):
        return
    host = mx_host(domain.name, p.settings.mail_zone)
    text = (
        f"{domain.name} was ordered on {domain.ordered_at:%Y-%m-%d} and is not active yet:"
        f" its MX record does not point to this mail service.\n\n"
        f"To activate it, its owner publishes this record: {domain.name} MX 10 {host}.\n\n"
        "It becomes active by itself within an hour of that. This notice is sent once."
    )
    key = f"pending-{domain.order}"
    notify.reseller(p, domain.reseller, key, f"{domain.name} is waiting for its MX record", text)
    p.directory.change_domain(
        domain.name, {"noticed_at": clock.now()}, given={"order": domain.order, "noticed_at": None}
    )


# ---------------------------------------------------------------------------------------------- watching
def watch(p: Platform) -> None:
    """Hourly, S7: look at the MX of every domain that is or was live; take up orders left half-way."""
    every = p.directory.all_domains()
    while batch := list(islice(every, WATCHED_AT_ONCE)):
        _watch_live(p, [d for d in batch if d.state in ("live", "mx_lost")])
        _each(p, (d for d in batch if d.state == "pending" and not d.started), orders.mend)


def _watch_live(p: Platform, domains: Sequence[HostedDomain]) -> None:
    """A domain whose MX is as it was costs one DNS question and nothing else."""
    answers = p.resolver.lookup_all((d.name, "MX") for d in domains)
    _each(p, (d for d, a in zip(domains, answers, strict=True) if _worth_a_look(p, d, a)), check)


def _worth_a_look(p: Platform, domain: HostedDomain, answer: Answer) -> bool:
    values = answer.values if answer.status == "ok" else ()
    good = judge_mx(mx_host(domain.name, p.settings.mail_zone), values) == "ok"
    return not good or domain.state == "mx_lost" or domain.misses > 0


def _each(p: Platform, domains: Iterable[HostedDomain], work: Any) -> None:
    """One domain's trouble is not the others'."""
    for domain in domains:
        try:
            work(p, domain)
        except Exception:
            logger.exception("a domain could not be looked after", extra={"domain": domain.name})
