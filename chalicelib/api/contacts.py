"""The own contacts as files: vCard and CSV, out and in. All else is the mailbox API's (RFC 9610)."""

import json

from chalice.app import Blueprint, Response
from pydantic import Field

from chalicelib.api.errors import Headers
from chalicelib.api.models import octets
from chalicelib.api.rest import Call, Example, Out, Query, Section
from chalicelib.rules.csvtext import TYPE as CSV_TYPE
from chalicelib.rules.errors import ServiceError
from chalicelib.services import contacts

routes = Blueprint(__name__)
section = Section("Contacts", routes)

VCARD, CSV, OCTETS = "text/vcard", "text/csv", "application/octet-stream"
LARGEST = 4_000_000  # bytes of a file that is brought in
LARGEST_ANSWER = 5_500_000  # characters of JSON, as which a Lambda hands it out
ZOE = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:4e5b1b9a-0c1d-4e2f-8a3b-5c6d7e8f9a0b\r\n"
    "FN:Zoe Far\r\nEMAIL:zoe@far.test\r\nEND:VCARD\r\n"
)


class ImportQuery(Query):
    """Where new contacts go."""

    address_book: str = Field("", max_length=64, description="An address book's id; else the default one.")


class RowOut(Out):
    """A contact of the file, counted from 1 without the header line of a CSV."""

    row: int
    error: str


class NoteOut(Out):
    """What was left out of a contact that was kept; row 0 is the file itself."""

    row: int
    note: str


class ImportedOut(Out):
    """What became of a file's contacts. `unchanged`: they were here, just so."""

    created: int
    updated: int
    unchanged: int
    failed: list[RowOut]
    notes: list[NoteOut]


def _file(call: Call, text: str, name: str, kind: str) -> Response:
    """A download, or where it is when it is too large for an answer."""
    if len(json.dumps(text)) > LARGEST_ANSWER:
        url = contacts.parked(call.platform, text, name, kind)
        return Response("", {"Location": url, "Cache-Control": "no-store"}, 303)
    headers: Headers = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, headers, 200)


@section.route(
    "GET",
    "/contacts.vcf",
    within="mailbox",
    roles=("user",),
    answers={200: VCARD, 303: None},
    example=Example(),
)
def export_vcards(call: Call) -> Response:
    """All contacts and groups as vCard 4.0, nothing left out: what vCard has no word for goes as JSPROP."""
    text = contacts.vcards(call.platform, call.account.id)
    return _file(call, text, "contacts.vcf", f"{VCARD}; charset=utf-8")


@section.route(
    "GET",
    "/contacts.csv",
    within="mailbox",
    roles=("user",),
    answers={200: CSV, 303: None},
    example=Example(),
)
def export_table(call: Call) -> Response:
    """All contacts but groups as CSV with the columns of Google, as far as a table holds them.

    It begins with a byte order mark. Cells that a spreadsheet would compute are led by an apostrophe.
    """
    return _file(call, contacts.table(call.platform, call.account.id), "contacts.csv", CSV_TYPE)


@section.route(
    "POST",
    "/contacts/import",
    within="mailbox",
    roles=("user",),
    query=ImportQuery,
    raw=(VCARD, CSV, OCTETS),
    answers={200: ImportedOut},
    errors=("too_large", "bad_request", "invalid", "not_found"),
    example=Example(body=ZOE),
)
def import_contacts(call: Call) -> ImportedOut:
    """Bring in contacts of a vCard file (2.1, 3.0, 4.0), or of CSV with the columns of Google or Outlook.

    A contact whose UID is here is changed, so sending a file again doubles nothing; a vCard replaces it, a
    row changes what its columns say. Send files that are not in UTF-8 as `application/octet-stream`: of
    these, one that holds BEGIN:VCARD is taken for vCards. At most 4,000,000 bytes and 5,000 contacts.
    """
    body = octets(call.request)
    if len(body) > LARGEST:
        numbers = {"limit": LARGEST, "used": len(body), "unit": "bytes"}
        raise ServiceError("too_large", f"A file has at most {LARGEST} bytes.", extra=numbers)
    bring_in = contacts.bring_in_vcards if _is_vcard(call, body) else contacts.bring_in_table
    made = bring_in(call.platform, call.account, body, call.query.address_book)
    return ImportedOut(
        created=made.created,
        updated=made.updated,
        unchanged=made.same,
        failed=[RowOut(row=row, error=error) for row, error in made.failed],
        notes=[NoteOut(row=row, note=note) for row, note in made.notes],
    )


def _is_vcard(call: Call, body: bytes) -> bool:
    kind = str(call.request.headers.get("content-type") or "").partition(";")[0].strip().lower()
    return kind == VCARD or (kind == OCTETS and b"BEGIN:VCARD" in body[:4_096].replace(b"\0", b"").upper())
