"""An app as Chalice makes it, for the runtime: a route, a queue function, a schedule and a task."""

from typing import Any

from chalice.app import Chalice

app = Chalice(app_name="small")
seen: list[Any] = []
poison: set[str] = set()


@app.route("/echo/{word}", methods=["GET"])
def echo(word: str) -> dict[str, Any]:
    """The path and what the request says of itself."""
    request: Any = app.current_request
    return {"word": word, "query": dict(request.query_params or {})}


@app.on_sqs_message(queue="work", batch_size=10)
def work(event: Any) -> dict[str, Any]:
    """Remembers bodies; fails those in `poison`."""
    failed = []
    for record in event.to_dict()["Records"]:
        seen.append((record["body"], record["attributes"]["ApproximateReceiveCount"]))
        if record["body"] in poison:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


@app.schedule("rate(1 hour)")
def hourly(event: Any) -> None:
    """Remembers when."""
    seen.append(("hourly", event.to_dict()["time"]))


@app.lambda_function()
def poll(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Counts polls; done at `until`."""
    assert context.get_remaining_time_in_millis() > 0
    polls = event["polls"] + 1
    return {**event, "polls": polls, "next": "done" if polls >= event["until"] else "wait"}
