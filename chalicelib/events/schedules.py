"""What happens by the clock."""

from chalicelib.services import abuse, activation, cleanup, gone, jobs, quota, send, status, webhooks
from chalicelib.services.platform import platform


def watch_domains() -> None:
    """Hourly: see whether live domains' MX records still point here (S7); tell what is not told yet (S31)."""
    abuse.mend(platform())
    activation.watch(platform())
    gone.mend(platform())


def mend_outbox() -> None:
    """Hourly: take up what a crash left half-way, submissions and jobs; have the status page looked at."""
    jobs.mend(platform())
    status.refresh(platform())
    send.mend(platform())


def warn_mailboxes() -> None:
    """Hourly, S16: today's warnings, to whom they were not sent yet."""
    quota.warn_all(platform())


def post_webhooks() -> None:
    """Each minute, S40: tell resellers' servers what changed."""
    webhooks.run(platform())


def clean_up() -> None:
    """Daily: remove what nobody needs any more."""
    gone.purge(platform())
    cleanup.run(platform(), seconds=cleanup.RUN_SECONDS - gone.PURGE_SECONDS)
