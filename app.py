"""Every way in. Routes live in chalicelib/api; queues, schedules and workflow tasks are declared here."""

import os
from typing import Any

from chalice.app import Chalice, CloudWatchEvent, Rate, SQSEvent

from chalicelib.api.routes import install
from chalicelib.events import activation, arrivals, bounces, delivery, jobs, outcomes, outgoing, schedules

STAGE = os.environ.get("STAGE", "local")
Json = dict[str, Any]

app = Chalice(app_name="plainpost")


def queue(name: str) -> str:
    """The name of a queue of this stage."""
    return f"plainpost-{STAGE}-{name}"


# ------------------------------------------------------------------------------------------------- queues
# A few receptions (infra/template.yaml), then the dead letters; only failed messages of a batch come again.
@app.on_sqs_message(queue=queue("arrivals"), batch_size=5, name="receive")
def receive(event: SQSEvent) -> Json:
    """Mail from SES, and local recipients of what users send."""
    return arrivals.handle(event.to_dict(), event.context)


@app.on_sqs_message(queue=queue("outgoing"), batch_size=5, name="attempt")
def attempt(event: SQSEvent) -> Json:
    """Chunks of outside recipients for SES."""
    return outgoing.handle(event.to_dict(), event.context)


@app.on_sqs_message(queue=queue("outcomes"), batch_size=10, name="outcomes")
def record_outcomes(event: SQSEvent) -> Json:
    """SES's events about what was sent."""
    return outcomes.handle(event.to_dict(), event.context)


@app.on_sqs_message(queue=queue("bounces"), batch_size=1, name="bounce")
def bounce(event: SQSEvent) -> Json:
    """Bounces to senders outside, one at a time: SES takes one a second."""
    return bounces.handle(event.to_dict(), event.context)


@app.on_sqs_message(queue=queue("jobs"), batch_size=1, name="jobs")
def work(event: SQSEvent) -> Json:
    """What is told to many, some fifty at a time; requests to subscribe."""
    return jobs.handle(event.to_dict(), event.context)


# -------------------------------------------------------------------------------------------- state machines
@app.lambda_function(name="activation_poll")
def activation_poll(event: Json, _context: Any) -> Json:
    """S4: look for the MX of an ordered domain."""
    return activation.poll(event)


@app.lambda_function(name="delivery_watch")
def delivery_watch(event: Json, _context: Any) -> Json:
    """S27: wait for an attempt's outcome."""
    return delivery.watch(event)


@app.lambda_function(name="delivery_next")
def delivery_next(event: Json, _context: Any) -> Json:
    """S27: try again, or give up."""
    return delivery.next_step(event)


@app.lambda_function(name="delivery_attempt")
def delivery_attempt(event: Json, _context: Any) -> Json:
    """S27: the next attempt."""
    return delivery.attempt(event)


# ------------------------------------------------------------------------------------------------ schedules
@app.schedule(Rate(1, unit=Rate.HOURS), name="watch_domains")
def watch_domains(_event: CloudWatchEvent) -> None:
    """S7: MX records of live domains."""
    schedules.watch_domains()


@app.schedule(Rate(1, unit=Rate.HOURS), name="mend_outbox")
def mend_outbox(_event: CloudWatchEvent) -> None:
    """Submissions that a crash left half-way."""
    schedules.mend_outbox()


@app.schedule(Rate(1, unit=Rate.HOURS), name="warn_mailboxes")
def warn_mailboxes(_event: CloudWatchEvent) -> None:
    """S16: today's warnings to mailboxes that are nearly full."""
    schedules.warn_mailboxes()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="webhooks")
def post_webhooks(_event: CloudWatchEvent) -> None:
    """S40: what changed, to resellers' servers."""
    schedules.post_webhooks()


@app.schedule(Rate(1, unit=Rate.DAYS), name="cleanup")
def cleanup(_event: CloudWatchEvent) -> None:
    """What nobody needs any more."""
    schedules.clean_up()


# --------------------------------------------------------------------------------------------------- routes
install(app)
