"""Guesses are counted, by what is guessed at and from where; too many are not heard in this window."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from chalicelib.aws import clock
from chalicelib.aws.log import logger
from chalicelib.rules import signin as rules
from chalicelib.rules.errors import ServiceError
from chalicelib.services.platform import Platform

CODES_A_DAY = 40  # of a second factor, by whoever knows the password: one in 8,000 days finds it
DAY = timedelta(days=1)


def digest(secret: str) -> str:
    """What is kept of a token or key. Slow hashes make guessing dear where people choose; of 80 and more
    random bits nobody guesses one, so a quick hash keeps them as well, and costs a check nothing.
    """
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def guess(p: Platform, address: str, source: str) -> Iterator[None]:
    """Around the check of a password: throttled, and a refusal inside it counts. Raises throttled.

    Whether there is such an address makes no difference to what is counted.
    """
    source = rules.network_of(source)
    number, ends_at = rules.window(clock.now(), p.figures)
    pair, wide = f"pair#{digest(address)}#{source}", [f"source#{source}", f"address#{digest(address)}"]
    by_source, by_address = p.sessions.counts(wide, number)
    tries = rules.Tries(p.sessions.count(pair, number, ends_at), by_source, by_address)
    if rules.throttled(tries, p.figures):
        raise too_many("Too many failed log-ins. Please wait before the next one.", ends_at)
    try:
        yield
    except ServiceError:
        for counter in wide:
            p.sessions.count(counter, number, ends_at)
        logger.info("log-in refused", extra={"source": source, "tries": tries.pair})
        raise
    p.sessions.forget(pair, number)


@contextmanager
def guess_code(p: Platform, account: str) -> Iterator[None]:
    """Around the check of a code, which is short: counted for the account, wherever it is tried from."""
    now = clock.now()
    short = rules.window(now, p.figures)
    long = rules.window(now, replace(p.figures, signin_window=DAY))
    for (number, ends_at), most in ((short, p.figures.signin_attempts), (long, CODES_A_DAY)):
        if p.sessions.count(f"code#{account}#{most}", number, ends_at) > most:
            raise too_many("Too many wrong codes. Please wait before the next one.", ends_at)
    yield
    for (number, _), most in ((short, p.figures.signin_attempts), (long, CODES_A_DAY)):
        p.sessions.forget(f"code#{account}#{most}", number)


def too_many(detail: str, ends_at: datetime) -> ServiceError:
    """The refusal that says when to come back."""
    seconds = max(1, round((ends_at - clock.now()).total_seconds()))
    return ServiceError("throttled", detail, extra={"retry_after": seconds, "resets_at": ends_at.isoformat()})
