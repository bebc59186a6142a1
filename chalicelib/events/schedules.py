"""What happens by the clock."""

from chalicelib.services import activation, cleanup, jobs, send, status
from chalicelib.services.platform import platform


def watch_domains() -> None:
    """Hourly, S7: look whether the MX records of live domains still point here."""
    activation.watch(platform())


def mend_outbox() -> None:
    """Hourly: take up what a crash left half-way, submissions and jobs; have the status page looked at."""
    jobs.mend(platform())
    status.refresh(platform())
    send.mend(platform())


def clean_up() -> None:
    """Daily: remove what nobody needs any more."""
    cleanup.run(platform())
