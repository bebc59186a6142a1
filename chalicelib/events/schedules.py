"""What happens by the clock."""

from chalicelib.services import activation, cleanup, send
from chalicelib.services.platform import platform


def watch_domains() -> None:
    """Hourly, S7: look whether the MX records of live domains still point here."""
    activation.watch(platform())


def mend_outbox() -> None:
    """Hourly: take up submissions that a crash left half-way."""
    send.mend(platform())


def clean_up() -> None:
    """Daily: remove what nobody needs any more."""
    cleanup.run(platform())
