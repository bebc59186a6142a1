"""Everything a service works with, built once per process and only when first needed."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from chalicelib import settings
from chalicelib.aws.bucket import Bucket
from chalicelib.aws.dns import Resolver
from chalicelib.aws.mail import Mail
from chalicelib.aws.queue import Queues
from chalicelib.aws.secrets import Secrets
from chalicelib.aws.table import Table
from chalicelib.aws.workflow import Workflows
from chalicelib.rules.figures import DEFAULT, Figures
from chalicelib.store.abuse import Abuse
from chalicelib.store.addresses import Addresses
from chalicelib.store.blobs import Blobs
from chalicelib.store.brands import Brands
from chalicelib.store.contacts import Contacts
from chalicelib.store.credentials import Credentials
from chalicelib.store.directory import Directory
from chalicelib.store.gone import Gone
from chalicelib.store.holdings import Holdings
from chalicelib.store.holds import Holds
from chalicelib.store.identities import Identities
from chalicelib.store.jobs import Jobs
from chalicelib.store.journal import Journal
from chalicelib.store.ledger import Ledger
from chalicelib.store.mailbox import MailboxStore
from chalicelib.store.notices import Notices
from chalicelib.store.outbox import Outbox
from chalicelib.store.recent import Recent
from chalicelib.store.repeats import Repeats
from chalicelib.store.resellers import Resellers
from chalicelib.store.searchindex import SearchIndexes
from chalicelib.store.segments import Directory as SegmentDirectory
from chalicelib.store.sessions import Sessions
from chalicelib.store.sold import Sold
from chalicelib.store.standings import Standings
from chalicelib.store.subscribers import Subscribers
from chalicelib.store.tracks import Tracks
from chalicelib.store.webhooks import Webhooks


@dataclass(frozen=True)
class Platform:
    """What is kept, what can be called, and the figures of the operator."""

    settings: settings.Settings
    figures: Figures
    directory: Directory
    holdings: Holdings
    gone: Gone
    sold: Sold
    addresses: Addresses
    sessions: Sessions
    credentials: Credentials
    repeats: Repeats
    ledger: Ledger
    standings: Standings
    journal: Journal
    webhooks: Webhooks
    holds: Holds
    abuse: Abuse
    resellers: Resellers
    brands: Brands
    indexes: SearchIndexes
    directories: Recent[SegmentDirectory]
    mailboxes: MailboxStore
    identities: Identities
    contacts: Contacts
    outbox: Outbox
    tracks: Tracks
    notices: Notices
    subscribers: Subscribers
    jobs: Jobs
    blobs: Blobs
    pages: Bucket  # of the web, for the status page
    mail: Mail
    queues: Queues
    workflows: Workflows
    resolver: Resolver
    secrets: Secrets


def build(env: settings.Settings, figures: Figures = DEFAULT) -> Platform:
    """A platform over the resources that the settings name."""
    mail_table, directory_table = Table(env.mail_table), Table(env.directory_table)
    return Platform(
        settings=env,
        figures=figures,
        directory=Directory(directory_table),
        holdings=Holdings(directory_table),
        gone=Gone(directory_table),
        sold=Sold(directory_table),
        addresses=Addresses(directory_table),
        sessions=Sessions(directory_table),
        credentials=Credentials(directory_table),
        repeats=Repeats(directory_table),
        ledger=Ledger(directory_table),
        standings=Standings(directory_table),
        journal=Journal(directory_table),
        webhooks=Webhooks(directory_table),
        holds=Holds(directory_table),
        abuse=Abuse(directory_table),
        resellers=Resellers(directory_table),
        brands=Brands(directory_table),
        indexes=SearchIndexes(mail_table),
        directories=Recent(timedelta(hours=1), 500),
        mailboxes=MailboxStore(mail_table, figures),
        identities=Identities(mail_table, figures),
        contacts=Contacts(mail_table, figures),
        outbox=Outbox(mail_table, figures),
        tracks=Tracks(mail_table),
        notices=Notices(directory_table),
        subscribers=Subscribers(directory_table),
        jobs=Jobs(directory_table),
        blobs=Blobs(Bucket(env.mail_bucket)),
        pages=Bucket(env.web_bucket),
        mail=Mail(env.configuration_set),
        queues=Queues(),
        workflows=Workflows(),
        resolver=Resolver(env.resolver),
        secrets=Secrets(env.service_secret),
    )


@cache
def platform() -> Platform:
    """The platform of this process."""
    return build(settings.load())
