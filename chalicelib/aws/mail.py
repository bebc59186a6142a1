"""SES: raw mail out, bounces of mail that came in, and the identities of domains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from chalicelib.aws import clients

if TYPE_CHECKING:
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sesv2 import SESV2Client

THROTTLED = {
    "TooManyRequestsException",
    "LimitExceededException",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
}
PAUSED = {"AccountSuspendedException", "SendingPausedException"}


class MailError(Exception):
    """SES did not take a message."""


class Throttled(MailError):
    """Not sent: too much at once, or SES not reached. Soon again."""


class Paused(MailError):
    """Not sent: the account may not send at present."""


class Rejected(MailError):
    """Not sent, and never will be as it is."""


class Unclear(MailError):
    """The call ended without an answer: sent or not, nobody knows."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A domain as SES knows it. `tokens`: `<token>._domainkey.<domain>` CNAME `<token>.<zone>`."""

    domain: str
    tokens: tuple[str, ...]
    verified: bool
    status: str = ""  # PENDING, SUCCESS, FAILED, TEMPORARY_FAILURE, NOT_STARTED
    zone: str = "dkim.amazonses.com"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One recipient in a bounce to the outside."""

    address: str
    status: str  # RFC 3463
    text: str


class Mail:
    """SES with the stage's configuration set."""

    def __init__(self, configuration_set: str) -> None:
        self.configuration_set = configuration_set

    @property
    def _v2(self) -> "SESV2Client":
        made: SESV2Client = clients.client("sesv2")
        return made

    @property
    def _v1(self) -> "SESClient":
        made: SESClient = clients.client("ses")
        return made

    def send(self, sender: str, recipients: Sequence[str], raw: bytes, tags: Mapping[str, str]) -> str:
        """Send to at most 50 recipients; SES's message id. Raises Throttled, Paused, Rejected or Unclear.

        Called once: the SDK must not repeat a call whose end it did not see, for SES has no idempotency.
        """
        try:
            answer = self._v2.send_email(
                FromEmailAddress=sender,
                Destination={"ToAddresses": list(recipients)},
                Content={"Raw": {"Data": raw}},
                EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
                ConfigurationSetName=self.configuration_set,
            )
        except (ClientError, BotoCoreError) as error:
            _translate(error)
        return answer["MessageId"]

    def bounce(
        self,
        original: str,
        sender: str,
        reporting_mta: str,
        arrived: datetime,
        recipients: Sequence[Undelivered],
    ) -> None:
        """SendBounce for a message SES received within 24 h. Raises as `send` does."""
        try:
            self._v1.send_bounce(
                OriginalMessageId=original,
                BounceSender=sender,
                MessageDsn={"ReportingMta": f"dns; {reporting_mta}", "ArrivalDate": arrived},
                BouncedRecipientInfoList=[
                    {
                        "Recipient": r.address,
                        "RecipientDsnFields": {
                            "FinalRecipient": f"rfc822; {r.address}",
                            "Action": "failed",
                            "Status": r.status,
                            "DiagnosticCode": f"smtp; 550 {r.status} {r.text}",
                        },
                    }
                    for r in recipients
                ],
            )
        except (ClientError, BotoCoreError) as error:
            _translate(error)

    def create_identity(self, domain: str) -> Identity:
        """Make a domain an identity with Easy DKIM; as it is when it was one already."""
        try:
            self._v2.create_email_identity(EmailIdentity=domain, ConfigurationSetName=self.configuration_set)
        except ClientError as error:
            if error.response["Error"].get("Code") != "AlreadyExistsException":
                raise
        found = self.identity(domain)
        if found is None:
            raise Unclear(f"{domain} is not an identity right after it was made one")
        return found

    def identity(self, domain: str) -> Identity | None:
        """The identity with its DKIM tokens and whether it is verified; None when there is none."""
        try:
            answer: Any = self._v2.get_email_identity(EmailIdentity=domain)
        except ClientError as error:
            if error.response["Error"].get("Code") != "NotFoundException":
                raise
            return None
        dkim: Mapping[str, Any] = answer.get("DkimAttributes", {})
        return Identity(
            domain,
            tuple(dkim.get("Tokens", ())),
            bool(answer.get("VerifiedForSendingStatus", False)),
            str(dkim.get("Status", "")),
            str(dkim.get("SigningHostedZone") or "dkim.amazonses.com"),
        )

    def delete_identity(self, domain: str) -> None:
        """Forget a domain; nothing when it was not known."""
        try:
            self._v2.delete_email_identity(EmailIdentity=domain)
        except ClientError as error:
            if error.response["Error"].get("Code") != "NotFoundException":
                raise


def _translate(error: ClientError | BotoCoreError) -> NoReturn:
    """What an error says about whether the message went out."""
    if isinstance(error, ConnectTimeoutError | EndpointConnectionError):
        raise Throttled(str(error)) from error
    if not isinstance(error, ClientError):
        raise Unclear(str(error)) from error
    code = error.response["Error"].get("Code", "")
    text = f"{code}: {error.response['Error'].get('Message', '')}"
    if code in THROTTLED:
        raise Throttled(text) from error
    if code in PAUSED:
        raise Paused(text) from error
    if error.response["ResponseMetadata"].get("HTTPStatusCode", 500) >= 500:
        raise Unclear(text) from error
    raise Rejected(text) from error
