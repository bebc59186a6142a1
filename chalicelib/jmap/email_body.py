"""The body of a new email from its JMAP description (RFC 8621 §4.6): its tree, texts, parts from blobs."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from chalicelib.jmap import blobs, headers
from chalicelib.jmap.blobs import Blob
from chalicelib.jmap.context import Context
from chalicelib.jmap.errors import Faults, Json, SetError, invalid
from chalicelib.mime import build, encode, params
from chalicelib.rules.errors import ServiceError

PROPERTIES = ("bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues")
_LISTS = ("textBody", "htmlBody", "attachments")
_PART = frozenset(
    {"partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location",
     "subParts"}
)  # fmt: skip
#: Properties of a part that are written into a field.
_WRITTEN = {
    "content-type": ("type", "charset"),
    "content-disposition": ("disposition", "name"),
    "content-id": ("cid",),
    "content-language": ("language",),
    "content-location": ("location",),
}
_OURS = ("content-transfer-encoding", "mime-version")
_TOKEN = re.compile(r"[a-z0-9!#$&+.^_`{|}~-]+")
_MAX_PARTS = 200


def tree(ctx: Context, given: Json, above: Collection[str], faults: Faults) -> build.Node:
    """The tree to write. `above`: names of the header fields that the email itself gives, in lower case.

    Raises SetError blobNotFound, tooLarge; what else is wrong is among the faults.
    """
    described = list(_every_part(given))
    if len(described) > _MAX_PARTS:
        raise SetError("tooLarge", f"At most {_MAX_PARTS} parts.")
    asked = (part["blobId"] for part in described if isinstance(part.get("blobId"), str))
    found, missing = blobs.find_all(ctx, asked)
    if missing:
        raise _not_found(missing)
    return _Body(ctx, given, found, faults).root(above)


def _every_part(given: Json) -> Iterator[Json]:
    """Whatever is described as a part, rightly or not."""
    waiting = [given.get("bodyStructure")]
    for name in _LISTS:
        waiting += given[name] if isinstance(given.get(name), list) else []
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield part
            waiting += part["subParts"] if isinstance(part.get("subParts"), list) else []


def _not_found(ids: list[str]) -> SetError:
    return SetError("blobNotFound", "There is no such blob.", notFound=ids)


class _Body:
    """Reads the body of a description; `left` octets of blobs may still be taken."""

    def __init__(self, ctx: Context, given: Json, found: dict[str, Blob], faults: Faults) -> None:
        self.ctx, self.given, self.found, self.faults = ctx, given, found, faults
        self.most = self.left = ctx.p.figures.max_message_bytes
        self.values: Any = {} if given.get("bodyValues") is None else given["bodyValues"]

    def root(self, above: Collection[str]) -> build.Node:
        """The whole tree; what takes the place of a wrong one is not written."""
        with self.faults:
            self._check()
            return self._arranged(above)
        return build.text_node("text/plain", "")

    def _check(self) -> None:
        if not isinstance(self.values, dict) or not all(isinstance(v, dict) for v in self.values.values()):
            raise invalid("This takes a map of body values.", "bodyValues")
        others = [name for name in _LISTS if self.given.get(name) is not None]
        if others and self.given.get("bodyStructure") is not None:
            raise invalid("The structure is given already.", *others)

    def _arranged(self, above: Collection[str]) -> build.Node:
        structure = self.given.get("bodyStructure")
        if structure is not None:
            root = self._node(structure, "bodyStructure")
            _apart(structure, "bodyStructure", above)
            return root
        text = page = None
        attachments: list[build.Node] = []
        with self.faults:
            text = self._only("textBody", "text/plain")
        with self.faults:
            page = self._only("htmlBody", "text/html")
        with self.faults:
            attachments = [self._node(part, "attachments") for part in self._list("attachments")]
        root = build.arrange(text, page, attachments)
        for name, node in (("textBody", text), ("htmlBody", page)):
            if node is root:
                _apart(self.given[name][0], name, above)
        return root

    def _list(self, name: str) -> list[Any]:
        value = self.given.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise invalid("This takes a list of parts.", name)
        return value

    def _only(self, name: str, kind: str) -> build.Node | None:
        """The one part of textBody or htmlBody (RFC 8621 §4.6)."""
        parts = self._list(name)
        if not parts:
            return None
        node = self._node(parts[0], name, kind)
        if len(parts) > 1 or node.type != kind:
            raise invalid(f"This takes one part of type {kind}.", name)
        return node

    def _node(self, part: Any, where: str, kind: str = "text/plain") -> build.Node:
        """A part; `kind` is the type of one that does not tell."""
        if not isinstance(part, dict):
            raise invalid("A part is an object.", where)
        unknown = [name for name in part if name not in _PART and not headers.parse(name)]
        if unknown:
            at = (f"{where}/{name}" for name in unknown)
            raise invalid("A part has no such property that can be set.", *at)
        fields = _own_fields(part, where)
        if part.get("subParts") is not None:
            made = self._branch(part, where)
        else:
            made = self._leaf(part, where, kind)
        return _dressed(made, part, where, fields)

    def _branch(self, part: Json, where: str) -> build.Node:
        inner = part["subParts"]
        kind, more = _type(part, where, "multipart/mixed")
        if not isinstance(inner, list) or not inner or not kind.startswith("multipart/"):
            raise invalid("Only a multipart has subParts, at least one.", f"{where}/subParts")
        if part.get("partId") is not None or part.get("blobId") is not None:
            raise invalid("A multipart has no content of its own.", where)
        children = tuple(self._node(one, where) for one in inner)
        return build.Node(kind, params=more, children=children)

    def _leaf(self, part: Json, where: str, kind: str) -> build.Node:
        part_id, blob_id = _string(part, "partId", where), _string(part, "blobId", where)
        if (part_id is None) == (blob_id is None):
            raise invalid("A part has either a partId or a blobId.", where)
        kind, more = _type(part, where, kind)
        if kind.startswith("multipart/"):
            raise invalid("A multipart has subParts.", f"{where}/type")
        if part_id is None:
            return build.Node(kind, self._blob(str(blob_id)), params=more)
        if part.get("size") is not None:
            raise invalid("The size of a value follows from it.", f"{where}/size")
        if part.get("charset") is not None or not kind.startswith("text/"):
            raise invalid("A value is text, without a charset of its own.", where)
        node = build.text_node(kind, self._value(part_id, where))
        return replace(node, params=(*node.params, *(pair for pair in more if pair[0] != "charset")))

    def _value(self, part_id: str, where: str) -> str:
        found = self.values.get(part_id)
        if not isinstance(found, dict) or not isinstance(found.get("value"), str):
            raise invalid("There is no value for this part.", where, "bodyValues")
        if found.get("isTruncated") or found.get("isEncodingProblem"):
            raise invalid("A value must be whole and right.", "bodyValues")
        value: str = found["value"]
        return value

    def _blob(self, id: str) -> bytes:
        """A blob's octets, none where they would not be used. Raises SetError blobNotFound, tooLarge."""
        blob = self.found[id]
        self.left -= blob.size
        if self.left < 0:
            raise SetError("tooLarge", "The attachments are too large.", maxSize=self.most)
        try:
            return b"" if self.faults else blobs.content(self.ctx, blob)
        except ServiceError:
            raise _not_found([id]) from None


# -------------------------------------------------------- what a part says
def _type(part: Json, where: str, default: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Type in lower case and parameters, as properties or as the field itself. Raises SetError."""
    charset = _string(part, "charset", where)
    kind, at = (_string(part, "type", where) or default).lower(), f"{where}/type"
    more = {"charset": charset} if charset else {}
    for name, value in part.items():
        asked = headers.parse(name)
        if asked and value is not None and asked.name.lower() == "content-type":
            at = f"{where}/{name}"
            kind, more = _content_type(value, at)
    if not build.is_type(kind):
        raise invalid("This is no type of a part.", at)
    return kind, tuple(more.items())


def _content_type(value: Any, at: str) -> tuple[str, dict[str, str]]:
    """The type that a whole Content-Type field tells, and its parameters."""
    if not isinstance(value, str):
        raise invalid("This takes a string.", at)
    kind, more = params.content_type(value.encode().decode("latin-1"))
    if not value.strip().lower().startswith(kind) or not all(_TOKEN.fullmatch(name) for name in more):
        raise invalid("This is no type of a part.", at)
    return kind, more


def _string(part: Json, name: str, where: str) -> str | None:
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid("This takes a string.", f"{where}/{name}")
    return value


def _own_fields(part: Json, where: str) -> tuple[bytes, ...]:
    """Fields of a part's header properties, each given once (§4.6); Content-Type is written with its type."""
    written: dict[str, list[bytes]] = {}
    for property, value in part.items():
        asked = headers.parse(property)
        if asked is None or value is None:
            continue
        name, at = asked.name.lower(), f"{where}/{property}"
        if name in _OURS:
            raise invalid("This is written here.", at)
        if name in written or any(part.get(other) is not None for other in _WRITTEN.get(name, ())):
            raise invalid("This field is given twice.", at)
        written[name] = headers.write(asked, value, at) if name != "content-type" else []
    return tuple(field for fields in written.values() for field in fields)


def _apart(part: Json, where: str, above: Collection[str]) -> None:
    """Of the topmost part, whose header is the message's: nothing of it may be given above it, too (§4.6)."""
    asked = {name: headers.parse(name) for name, value in part.items() if value is not None}
    twice = [name for name, one in asked.items() if one and one.name.lower() in above]
    if twice:
        raise invalid("The email gives this field already.", *(f"{where}/{name}" for name in twice))


def _dressed(node: build.Node, part: Json, where: str, fields: tuple[bytes, ...]) -> build.Node:
    """The node with what its part says beside its content."""
    more: list[bytes] = []
    language = part.get("language")
    if language is not None and not (
        isinstance(language, list) and all(isinstance(entry, str) for entry in language)
    ):
        raise invalid("This takes a list of language tags.", f"{where}/language")
    if language:
        more.append(encode.text_field("Content-Language", ", ".join(language)))
    if location := _string(part, "location", where):
        more.append(encode.text_field("Content-Location", location))
    return replace(
        node,
        name=_string(part, "name", where),
        cid=_string(part, "cid", where),
        disposition=_string(part, "disposition", where),
        fields=(*more, *fields),
    )
