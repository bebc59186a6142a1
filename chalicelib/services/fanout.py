"""A message for many (S9, S22): who gets it is written down once, then served slice by slice by the queue.

A worker that is killed leaves its slice in the queue; whoever takes it up again finds the copies that were
made (their ids follow from arrival and mailbox) and the submissions that were sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib import mime
from chalicelib.aws import clock
from chalicelib.rules import forwarding, routing
from chalicelib.rules.ids import passing_id
from chalicelib.rules.values import MailingList
from chalicelib.services.deposit import Message
from chalicelib.services.platform import Platform
from chalicelib.store.tracks import Fan, Slice

FAN_OUT = 50  # members that one message of the queue serves


def to_accounts(p: Platform, message: Message, address: str, members: Sequence[str], sender: str) -> Fan:
    """Queue a copy for each mailbox that an automatic address stands for."""
    id = passing_id(message.arrival.id, address)
    return _plan(p, Fan(id, message.arrival, address, sender), members)


def to_list(
    p: Platform, message: Message, entry: MailingList, barred: routing.Bounce | None, sender: str
) -> Fan:
    """Queue the list's copy for each of its members."""
    id = passing_id(message.arrival.id, entry.address)
    known = p.tracks.fan(id)
    if known is None:
        raw = mime.passed_on(p.blobs.get(message.arrival.blob), forwarding.listed(entry))
        p.blobs.put(f"own/{id}", raw, type="message/rfc822")
        p.mailboxes.purge_blob(f"own/{id}", clock.now())  # in time; members' copies hold it longer
    arrival = replace(message.arrival, blob=f"own/{id}")
    why = (barred.status, barred.text) if barred else ()
    return _plan(p, Fan(id, arrival, entry.address, sender, barred=why), p.addresses.members(entry))


def _plan(p: Platform, fan: Fan, members: Mapping[str, bool] | Sequence[str]) -> Fan:
    """Write the plan, or find the one that holds, and queue its slices; a slice that is done does nothing."""
    everybody = list(members)
    slices = [
        Slice(number, tuple(everybody[at : at + FAN_OUT]))
        for number, at in enumerate(range(0, len(everybody), FAN_OUT))
    ]
    fan = p.tracks.plan(replace(fan, slices=len(slices)), slices, clock.now())
    bodies = [{"kind": "fan", "fan": fan.id, "part": number} for number in range(fan.slices)]
    p.queues.send_all(p.settings.arrivals_queue, bodies)
    return fan
