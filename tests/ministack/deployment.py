"""A deployment of the packaged template by tools/deploy.py, and the world that it meets."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from chalicelib import settings
from chalicelib.aws import clients
from chalicelib.services.platform import Platform, build
from local import ses_resources
from local.clock import Clock
from local.cloudformation import Template
from local.dns import DnsServer, Zone
from local.httpd import HttpServer
from local.ops import Ops
from local.outside import Outside
from local.ses_api import SesApi
from local.ses_events import Event
from local.ses_state import SesState, dkim_tokens
from local.smtp_in import Reception, SmtpServer
from local.verdicts import Judge
from tests import packaged
from tests.ministack import calls
from tests.ministack.engine import ACCOUNT, REGION, Ministack
from tools import deploy

#: Types that ministack does not make. SES's are checked by cfn-lint and made in the local SES instead;
#: CloudFront's are checked by cfn-lint alone. What refers to one of them (a policy, an output) goes with it.
LEFT_OUT = ("AWS::SES::", "AWS::CloudFront::")
PARAMETERS = {
    "Stage": "test",
    "MailZone": "emailmx.test",
    "WebHost": "web.emailmx.test",
    "AdminHost": "admin.emailmx.test",
    "StatusHost": "status.emailmx.test",
    "PublicUrl": "http://api.emailmx.test",
    "SesIdDomain": "email.amazonses.com",
}
WAIT_SCALE = "0.0002"  # of a state machine's waits: 3 hours are two seconds


def _references(node: Any) -> Iterator[str]:
    """Logical ids that a piece of template refers to."""
    if isinstance(node, list):
        for one in node:
            yield from _references(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0]
            elif key == "Fn::Sub":
                text, own = value if isinstance(value, list) else (value, {})
                names = (name.partition(".")[0] for name in re.findall(r"\$\{([^}]+)\}", text))
                yield from (name for name in names if name not in own)
                yield from _references(own)
            else:
                yield from _references(value)


def _each_method(template: Mapping[str, Any]) -> None:
    """ministack reads no ANY from an API's definition: each method by itself."""
    for path in template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"].values():
        entry = path.pop("x-amazon-apigateway-any-method")
        path |= dict.fromkeys(("get", "post", "put", "patch", "delete", "head", "options"), entry)


def for_ministack(template: Mapping[str, Any]) -> dict[str, Any]:
    """The packaged template without LEFT_OUT and what refers to it."""
    template = copy.deepcopy(dict(template))
    _each_method(template)
    kept = {n: r for n, r in template["Resources"].items() if not r["Type"].startswith(LEFT_OUT)}
    gone = set(template["Resources"]) - set(kept)
    while more := {name for name, one in kept.items() if gone & set(_references(one))}:
        kept = {name: one for name, one in kept.items() if name not in more}
        gone |= more
    outputs = {n: o for n, o in template["Outputs"].items() if not gone & set(_references(o))}
    return {**template, "Resources": kept, "Outputs": outputs}


@dataclass
class Deployment:
    """A deployed stage. `outputs` are the stack's."""

    stack: deploy.Stack
    outputs: dict[str, str]
    engine: Ministack
    zone: Zone
    clock: Clock
    state: SesState
    outside: Outside
    smtp: SmtpServer
    ledger: calls.Ledger

    @property
    def url(self) -> str:
        """Where API Gateway answers."""
        return f"{self.engine.url}/restapis/{self.outputs['RestAPIId']}/api/_user_request_"

    def operator(self) -> Platform:
        """A platform over the deployment, in this process, as an operator's tools have it."""
        lambda_ = self.engine.client("lambda")
        variables = lambda_.get_function_configuration(FunctionName=self.outputs["APIHandlerName"])[
            "Environment"
        ]
        return build(settings.load(variables["Variables"]))

    def machine(self, name: str) -> list[dict[str, Any]]:
        """Executions of a state machine, described."""
        states = self.engine.client("stepfunctions")
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:plainpost-test-{name}"
        found = states.list_executions(stateMachineArn=arn)["executions"]
        return [states.describe_execution(executionArn=one["executionArn"]) for one in found]

    def visited(self, execution: Mapping[str, Any]) -> list[str]:
        """States that an execution entered, in order."""
        history = self.engine.client("stepfunctions").get_execution_history(
            executionArn=execution["executionArn"], maxResults=1000
        )["events"]
        return [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e]

    def waiting(self) -> dict[str, int]:
        """Messages in each queue, those being worked on included."""
        sqs, found = self.engine.client("sqs"), {}
        for url in sqs.list_queues()["QueueUrls"]:
            numbers = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            count = sum(int(v) for k, v in numbers.items() if k.startswith("ApproximateNumberOfMessages"))
            found[url.rpartition("/")[2].removeprefix("plainpost-test-")] = count
        return found

    def advance(self, **span: float) -> None:
        """Move the time of the world outside; the deployment's own is real."""
        self.clock.advance(timedelta(**span))


@dataclass
class _World:
    """SES and DNS before there is a deployment."""

    zone: Zone
    clock: Clock
    state: SesState
    outside: Outside
    smtp: SmtpServer
    ses: HttpServer
    dns: DnsServer
    engine: Ministack | None = None

    def publish(self, topic: str, event: Event) -> None:
        assert self.engine
        self.engine.client("sns").publish(TopicArn=topic, Message=json.dumps(event))

    def put(self, bucket: str, key: str, content: bytes) -> None:
        assert self.engine
        self.engine.client("s3").put_object(Bucket=bucket, Key=key, Body=content)


def _world() -> _World:
    zone, clock = Zone(PARAMETERS["MailZone"]), Clock()
    state = SesState(zone, clock.time, account=ACCOUNT, region=REGION)
    # As the operator does by hand: the service's own mail is sent from the zone.
    state.create_identity(PARAMETERS["MailZone"])
    for token in dkim_tokens(PARAMETERS["MailZone"]):
        zone.put(f"{token}._domainkey.{PARAMETERS['MailZone']}", "CNAME", [f"{token}.dkim.amazonses.com"])
    made: list[_World] = []
    outside = Outside(clock, zone, lambda topic, event: made[0].publish(topic, event))
    judge = Judge(zone, lambda domain: domain in state.identities())
    reception = Reception(
        state,
        judge,
        lambda bucket, key, content: made[0].put(bucket, key, content),
        lambda topic, event: made[0].publish(topic, event),
    )
    ses = SesApi(state, outside, Ops()).serve(0)
    made.append(_World(zone, clock, state, outside, SmtpServer(reception, clock, 0), ses, DnsServer(zone, 0)))
    return made[0]


@contextmanager
def deployed(directory: Path) -> Iterator[Deployment]:
    """Everything started on free ports of 127.0.0.1, and ended."""
    world, package = _world(), packaged.packaged()
    ses = f"http://127.0.0.1:{world.ses.port}"
    with ExitStack() as ends:
        for part in (world.clock, world.ses, world.dns, world.smtp):
            part.start()
            ends.callback(part.stop)
        ends.callback(world.outside.stop)
        environment = {
            "AWS_ENDPOINT_URL_SES": ses,
            "AWS_ENDPOINT_URL_SESV2": ses,
            "SFN_WAIT_SCALE": WAIT_SCALE,
        }
        world.engine = engine = Ministack(directory, environment | calls.install(directory))
        ends.callback(engine.stop)
        engine.wait()
        ends.enter_context(
            mock.patch.dict("os.environ", engine.environment() | {k: ses for k in environment if "URL" in k})
        )
        clients.forget()
        ends.callback(clients.forget)
        parameters = {**PARAMETERS, "Resolver": f"127.0.0.1:{world.dns.port}"}
        stack = deploy.Stack("test", parameters, {"Delay": 1, "MaxAttempts": 60})
        outputs = deploy.release(stack, for_ministack(packaged.template()), package.code)
        template = Template(packaged.template(), parameters, account=ACCOUNT, region=REGION)
        ses_resources.create(template, deploy.client)
        yield Deployment(
            stack,
            outputs,
            engine,
            world.zone,
            world.clock,
            world.state,
            world.outside,
            world.smtp,
            calls.Ledger(directory, template),
        )
