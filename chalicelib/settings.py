"""The environment, read once. Every function has the same set (infra/template.yaml)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of resources and hosts. Field `mail_table` is read from `MAIL_TABLE`."""

    stage: str
    directory_table: str
    mail_table: str
    mail_bucket: str
    web_bucket: str
    arrivals_queue: str  # URL
    outgoing_queue: str  # URL
    bounces_queue: str  # URL
    jobs_queue: str  # URL
    activation_machine: str  # ARN
    delivery_machine: str  # ARN
    configuration_set: str
    mail_zone: str  # S4: inbound.<domain>.<mail zone>
    web_host: str  # target of mail.<domain> (S8)
    admin_host: str  # target of emailadmin.<domain> (S8)
    status_url: str  # origin of the status page (S36)
    public_url: str  # origin of API and JMAP when the Host is unknown
    ses_id_domain: str  # suffix of the Message-IDs that SES writes
    identity_gate: str  # "on": activation also needs the SES identity verified
    service_secret: str  # ARN: keys of marks are derived from it
    origin_secret: str  # what the edge proves itself by; empty: nobody is believed to be the edge
    abuse_address: str  # S30: reports come to it
    resolver: str  # host:port of a DNS server; empty: the system's


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. Raises KeyError naming what is missing."""
    return Settings(**{f.name: environ[f.name.upper()] for f in fields(Settings)})
