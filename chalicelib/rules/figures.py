"""The operator's figures (SERVICE.md), in one place; each can be overridden by configuration."""

from dataclasses import dataclass, field
from datetime import timedelta

MB = 1_048_576


@dataclass(frozen=True, slots=True)
class Figures:
    """Defaults of the service. Sizes in bytes unless a name says `_mb`; money in mills."""

    base_storage_mb: int = 250  # S11
    storage_step_mb: int = 250  # S11
    max_storage_mb: int = 5_000  # S11
    mailbox_mills: int = 300  # S13, per month
    step_mills: int = 100  # S13, per month
    free_reversal: timedelta = timedelta(days=5)  # S13
    undo_for: timedelta = timedelta(days=30)  # of a deleted mailbox, a reversed domain
    alert_percent: int = 80  # S15
    alert_every: timedelta = timedelta(minutes=10)  # S15
    warning_percent: int = 90  # S16
    report_spare_bytes: int = MB  # S27: what reports to senders may take beyond the quota
    max_message_bytes: int = 25 * MB  # S19
    max_attachments: int = 4  # S19, webmail
    max_recipients: int = 250  # S20
    max_aliases: int = 500  # S22, of a domain
    max_forwards: int = 500  # S22, of a domain
    max_lists: int = 200  # S22, of a domain
    max_members: int = 10_000  # S22, of a list
    max_targets: int = 20  # S22, of a forward
    webmail_per_minute: int = 10  # S21
    smtp_per_minute: int = 30  # S21
    recipients_per_call: int = 50  # SES
    retry_every: timedelta = timedelta(hours=3)  # S27
    retries: int = 24  # S27, after the first attempt
    notice_after: timedelta = timedelta(days=30)  # S6
    poll_every: timedelta = timedelta(minutes=15)  # S4: the first day
    poll_later: timedelta = timedelta(minutes=30)  # S4: at most 60 minutes after the MX is visible
    polls_per_run: int = 1_000  # keeps an execution within 25,000 history events
    mx_lost_checks: int = 3  # S7: failed looks in a row
    mx_lost_after: timedelta = timedelta(hours=24)  # S7: and at least this long
    session_life: timedelta = timedelta(days=14)
    signin_attempts: int = 10  # per address and window
    signin_window: timedelta = timedelta(minutes=15)
    undelete_window: timedelta = timedelta(days=14)  # less than tombstone_life, which removes them
    tombstone_life: timedelta = timedelta(days=15)
    change_log_life: timedelta = timedelta(days=30)
    imap_open: bool = False  # S24: whether the gateway has an IMAP door; set-up pages name what there is
    unsolicited: int = 25  # S29: more recipients than these
    guard_strangers: int = 1_000  # stolen mailboxes: new recipients an hour, whatever became of them
    guard_strangers_bounced: int = 50  # and with this many, bounces count:
    guard_bounces: int = 20
    guard_bounce_percent: int = 20  # of the hour's recipients
    bounces_per_second: int = 1  # SES SendBounce
    reserved_locals: frozenset[str] = field(
        default_factory=lambda: frozenset({"emailadmin", "all", "postmaster", "abuse"})  # S9
    )


DEFAULT = Figures()
