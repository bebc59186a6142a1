"""Messages as bytes and values. Free of AWS; every reader takes any octets and never raises."""

from chalicelib.mime.arf import Reported, reported
from chalicelib.mime.automatic import is_automatic
from chalicelib.mime.body import Bodies, attachments, bodies, leaves, part_bytes, part_text
from chalicelib.mime.build import compose
from chalicelib.mime.dsn import dsn
from chalicelib.mime.fields import header_fields
from chalicelib.mime.parse import digest, hint_of
from chalicelib.mime.passing import passed_on
from chalicelib.mime.rewrite import seven_bit, with_header, without_headers
from chalicelib.mime.searchable import searchable
from chalicelib.mime.words import as_text as text_of

__all__ = [
    "Bodies",
    "Reported",
    "attachments",
    "bodies",
    "compose",
    "digest",
    "dsn",
    "header_fields",
    "hint_of",
    "is_automatic",
    "leaves",
    "part_bytes",
    "part_text",
    "passed_on",
    "reported",
    "searchable",
    "seven_bit",
    "text_of",
    "with_header",
    "without_headers",
]
