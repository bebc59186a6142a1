"""The SES API on a port of its own: v2 (REST JSON) and v1 (query protocol), as much as the service uses.

`AWS_ENDPOINT_URL_SES` and `AWS_ENDPOINT_URL_SESV2` point here. Byte-exact, with SES's own limits and
refusals; what was accepted goes to `Outside`, and from there all is told by events.
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from local import ses_bounce, ses_send
from local.httpd import HttpServer, Request, Response
from local.ops import ANYONE, FUNCTION_HEADER, Ops
from local.outside import Outside
from local.ses_events import Outgoing
from local.ses_state import ConfigurationSet, Destination, SesError, SesState, dkim_tokens
from local.verdicts import has_virus

Json = dict[str, Any]
_V1_NAMESPACE = "http://ses.amazonaws.com/doc/2010-12-01/"


class SesApi:
    """Requests to answers; every call is counted under the function that made it."""

    def __init__(self, state: SesState, outside: Outside, ops: Ops) -> None:
        self.state, self._outside, self._ops = state, outside, ops

    def serve(self, port: int) -> HttpServer:
        """A server for it, not started. Raises OSError when the port is taken."""
        return HttpServer(self.answer, port, "ses")

    def answer(self, request: Request) -> Response:
        """One API call."""
        if request.path.startswith("/v2/email/"):
            return self._v2(request)
        return self._v1(request)

    def _count(self, service: str, operation: str, request: Request) -> None:
        self._ops.count(service, operation, request.header(FUNCTION_HEADER) or ANYONE)

    # version 2
    def _v2(self, request: Request) -> Response:
        rest = request.path.removeprefix("/v2/email/")
        for method, pattern, operation, handler in _ROUTES:
            match = re.fullmatch(pattern, rest) if method == request.method else None
            if match:
                self._count("sesv2", operation, request)
                return self._call(handler, [unquote(group) for group in match.groups()], request)
        return _refusal(SesError("UnknownOperationException", f"{request.method} {request.path}", 404))

    def _call(self, handler: "_Route", names: Sequence[str], request: Request) -> Response:
        try:
            return _json(200, handler(self, json.loads(request.body or b"{}"), *names))
        except ValueError:
            return _refusal(SesError("BadRequestException", "The body is not JSON."))
        except SesError as error:
            return _refusal(error)

    def send_email(self, body: Json) -> Json:
        """SendEmail with raw content."""
        message = ses_send.accept(body, self.state)
        self._outside.accept(message, virus=has_virus(message.raw))
        return {"MessageId": message.ses_id}

    def create_identity(self, body: Json) -> Json:
        """CreateEmailIdentity with Easy DKIM."""
        name = str(body.get("EmailIdentity", ""))
        if not ses_send.is_domain(name.rpartition("@")[2]):
            raise SesError("BadRequestException", f"Invalid email identity: {name}")
        if config := body.get("ConfigurationSetName"):
            self.state.config_set(config)
        self.state.create_identity(name)
        shown = self.get_identity({}, name)
        return {key: shown[key] for key in ("IdentityType", "VerifiedForSendingStatus", "DkimAttributes")}

    def get_identity(self, _body: Json, name: str) -> Json:
        """GetEmailIdentity; looking is what verifies it."""
        self.state.require_identity(name)
        verified = self.state.verified(name)
        status = "SUCCESS" if verified else "PENDING"
        return {
            "IdentityType": "EMAIL_ADDRESS" if "@" in name else "DOMAIN",
            "FeedbackForwardingStatus": True,
            "VerifiedForSendingStatus": verified,
            "VerificationStatus": status,
            "DkimAttributes": {
                "SigningEnabled": True,
                "Status": status,
                "Tokens": list(dkim_tokens(name)),
                "SigningAttributesOrigin": "AWS_SES",
                "SigningHostedZone": "dkim.amazonses.com",
                "NextSigningKeyLength": "RSA_2048_BIT",
                "CurrentSigningKeyLength": "RSA_2048_BIT",
            },
            "MailFromAttributes": {"BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
            "Policies": {},
            "Tags": [],
        }

    def delete_identity(self, _body: Json, name: str) -> Json:
        """DeleteEmailIdentity."""
        self.state.delete_identity(name)
        return {}

    def list_identities(self, _body: Json) -> Json:
        """ListEmailIdentities, on one page."""
        rows = [
            {
                "IdentityType": "EMAIL_ADDRESS" if "@" in name else "DOMAIN",
                "IdentityName": name,
                "SendingEnabled": True,
                "VerificationStatus": "SUCCESS" if self.state.verified(name) else "PENDING",
            }
            for name in self.state.identities()
        ]
        return {"EmailIdentities": rows}

    def create_set(self, body: Json) -> Json:
        """CreateConfigurationSet."""
        name = str(body.get("ConfigurationSetName", ""))
        if name in self.state.sets():
            raise SesError("AlreadyExistsException", f"Configuration set {name} already exists.")
        seconds = (body.get("DeliveryOptions") or {}).get("MaxDeliverySeconds", 50_400)
        if not 300 <= int(seconds) <= 50_400:
            raise SesError("BadRequestException", "MaxDeliverySeconds must be from 300 to 50400.")
        self.state.put_set(ConfigurationSet(name, int(seconds)))
        return {}

    def get_set(self, _body: Json, name: str) -> Json:
        """GetConfigurationSet."""
        config = self.state.config_set(name)
        options = {"MaxDeliverySeconds": config.max_delivery_seconds, "TlsPolicy": "OPTIONAL"}
        return {"ConfigurationSetName": name, "DeliveryOptions": options}

    def delete_set(self, _body: Json, name: str) -> Json:
        """DeleteConfigurationSet."""
        self.state.delete_set(name)
        return {}

    def list_sets(self, _body: Json) -> Json:
        """ListConfigurationSets, on one page."""
        return {"ConfigurationSets": self.state.sets()}

    def create_destination(self, body: Json, name: str) -> Json:
        """CreateConfigurationSetEventDestination to a topic."""
        given = body.get("EventDestination") or {}
        topic = (given.get("SnsDestination") or {}).get("TopicArn")
        if not topic:
            raise SesError("BadRequestException", "Only SnsDestination is known here.")
        types = frozenset(given.get("MatchingEventTypes") or ())
        enabled = bool(given.get("Enabled", False))
        self.state.put_destination(
            name, Destination(str(body.get("EventDestinationName", "")), topic, types, enabled)
        )
        return {}

    def list_destinations(self, _body: Json, name: str) -> Json:
        """GetConfigurationSetEventDestinations."""
        return {
            "EventDestinations": [
                {
                    "Name": d.name,
                    "Enabled": d.enabled,
                    "MatchingEventTypes": sorted(d.types),
                    "SnsDestination": {"TopicArn": d.topic},
                }
                for d in self.state.config_set(name).destinations
            ]
        }

    # version 1
    def _v1(self, request: Request) -> Response:
        values = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        action = values.pop("Action", "")
        self._count("ses", action, request)
        handler = _ACTIONS.get(action)
        if handler is None:
            return _xml_refusal(SesError("InvalidAction", f"The action {action} is not valid."))
        try:
            inner = handler(self, nested(values))
        except SesError as error:
            return _xml_refusal(error)
        return _xml(200, f"{action}Response", f"<{action}Result>{inner}</{action}Result>")

    def send_bounce(self, values: Json) -> str:
        """SendBounce, for mail that came in within 24 h."""
        original = self.state.received(str(values.get("OriginalMessageId", "")))
        if original is None:
            raise SesError("MessageRejected", "Message ID is not of an email received in the last 24 hours.")
        if not values.get("BouncedRecipientInfoList"):
            raise SesError("ValidationError", "BouncedRecipientInfoList is required.")
        message = ses_bounce.compose(values, original, self.state)
        self._send_back(message, values)
        return f"<MessageId>{message.ses_id}</MessageId>"

    def _send_back(self, message: Outgoing, values: Json) -> None:
        """Out to the world; or, where the original was sent by SES itself, an event about that."""
        local, _, domain = message.recipients[0].rpartition("@")
        if domain == self.state.id_domain:
            self._outside.come_back(local, ses_bounce.replies(values))
        else:
            self._outside.accept(message)

    def create_rule_set(self, values: Json) -> str:
        """CreateReceiptRuleSet."""
        self.state.create_rule_set(str(values.get("RuleSetName", "")))
        return ""

    def create_rule(self, values: Json) -> str:
        """CreateReceiptRule, UpdateReceiptRule."""
        self.state.put_rule(str(values.get("RuleSetName", "")), values.get("Rule") or {})
        return ""

    def activate(self, values: Json) -> str:
        """SetActiveReceiptRuleSet."""
        self.state.activate(str(values.get("RuleSetName", "")))
        return ""

    def describe_active(self, _values: Json) -> str:
        """DescribeActiveReceiptRuleSet: its name and the names of its rules."""
        name = self.state.active_rule_set
        if not name:
            return ""
        rules = "".join(
            f"<member><Name>{escape(str(rule.get('Name')))}</Name></member>"
            for rule in self.state.rules(name)
        )
        return f"<Metadata><Name>{escape(name)}</Name></Metadata><Rules>{rules}</Rules>"


_Route = Callable[..., Json]
_NAME = "([^/]+)"
_ROUTES: Sequence[tuple[str, str, str, _Route]] = (
    ("POST", "outbound-emails", "SendEmail", SesApi.send_email),
    ("POST", "identities", "CreateEmailIdentity", SesApi.create_identity),
    ("POST", "list-identities", "ListEmailIdentities", SesApi.list_identities),
    ("GET", f"identities/{_NAME}", "GetEmailIdentity", SesApi.get_identity),
    ("DELETE", f"identities/{_NAME}", "DeleteEmailIdentity", SesApi.delete_identity),
    ("POST", "configuration-sets", "CreateConfigurationSet", SesApi.create_set),
    ("POST", "list-configuration-sets", "ListConfigurationSets", SesApi.list_sets),
    ("GET", f"configuration-sets/{_NAME}", "GetConfigurationSet", SesApi.get_set),
    ("DELETE", f"configuration-sets/{_NAME}", "DeleteConfigurationSet", SesApi.delete_set),
    (
        "POST",
        f"configuration-sets/{_NAME}/event-destinations",
        "CreateConfigurationSetEventDestination",
        SesApi.create_destination,
    ),
    (
        "GET",
        f"configuration-sets/{_NAME}/event-destinations",
        "GetConfigurationSetEventDestinations",
        SesApi.list_destinations,
    ),
)
_ACTIONS: Mapping[str, Callable[[SesApi, Json], str]] = {
    "SendBounce": SesApi.send_bounce,
    "CreateReceiptRuleSet": SesApi.create_rule_set,
    "CreateReceiptRule": SesApi.create_rule,
    "UpdateReceiptRule": SesApi.create_rule,
    "SetActiveReceiptRuleSet": SesApi.activate,
    "DescribeActiveReceiptRuleSet": SesApi.describe_active,
}


def nested(values: Mapping[str, str]) -> Json:
    """`A.member.1.B=c` as {"A": [{"B": "c"}]}: the query protocol undone."""
    tree: Json = {}
    for key, value in values.items():
        node = tree
        *path, last = key.split(".")
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value
    shaped: Json = _lists(tree)
    return shaped


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"} and isinstance(node["member"], dict):
        members = sorted(node["member"].items(), key=lambda item: int(item[0]))
        return [_lists(value) for _, value in members]
    return {key: _lists(value) for key, value in node.items()}


def _json(status: int, value: Json, extra: Sequence[tuple[str, str]] = ()) -> Response:
    headers = (
        ("Content-Type", "application/json"),
        ("x-amzn-RequestId", str(uuid.uuid4())),
        *extra,
    )
    return Response(status, json.dumps(value).encode(), headers)


def _refusal(error: SesError) -> Response:
    return _json(error.status, {"message": error.message}, (("x-amzn-ErrorType", error.code),))


def _xml(status: int, root: str, inner: str) -> Response:
    request_id = uuid.uuid4()
    meta = (
        f"<RequestId>{request_id}</RequestId>"
        if root == "ErrorResponse"
        else f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>"
    )
    body = f'<{root} xmlns="{_V1_NAMESPACE}">{inner}{meta}</{root}>'
    return Response(status, body.encode(), (("Content-Type", "text/xml"),))


def _xml_refusal(error: SesError) -> Response:
    detail = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    return _xml(error.status, "ErrorResponse", f"<Error><Type>Sender</Type>{detail}</Error>")
