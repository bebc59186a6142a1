"""What the OpenAPI document says of routes that are declared elsewhere: the mailbox API (JMAP, RFC 8620)."""

from typing import Any

Json = dict[str, Any]
JMAP = "Mailbox (JMAP)"
TAGS = [
    {
        "name": JMAP,
        "description": "Messages, folders and sending, by RFC 8620 and RFC 8621. What is served, method by "
        "method, is told by the session object.",
    }
]
SCHEMAS: Json = {
    "JmapRequest": {
        "type": "object",
        "description": "RFC 8620 §3.3.",
        "required": ["using", "methodCalls"],
        "properties": {
            "using": {"type": "array", "items": {"type": "string"}},
            "methodCalls": {"type": "array", "items": {"$ref": "#/components/schemas/JmapInvocation"}},
            "createdIds": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "JmapInvocation": {
        "type": "array",
        "description": "RFC 8620 §3.2: name of a method, its arguments, an id of the call.",
        "prefixItems": [{"type": "string"}, {"type": "object"}, {"type": "string"}],
        "minItems": 3,
        "maxItems": 3,
    },
    "JmapResponse": {
        "type": "object",
        "description": "RFC 8620 §3.4.",
        "required": ["methodResponses", "sessionState"],
        "properties": {
            "methodResponses": {"type": "array", "items": {"$ref": "#/components/schemas/JmapInvocation"}},
            "createdIds": {"type": "object", "additionalProperties": {"type": "string"}},
            "sessionState": {"type": "string"},
        },
    },
    "JmapSession": {
        "type": "object",
        "description": "RFC 8620 §2.",
        "required": ["capabilities", "accounts", "primaryAccounts", "username", "apiUrl", "state"],
        "properties": {
            "capabilities": {"type": "object"},
            "accounts": {"type": "object"},
            "primaryAccounts": {"type": "object", "additionalProperties": {"type": "string"}},
            "username": {"type": "string"},
            "apiUrl": {"type": "string"},
            "downloadUrl": {"type": "string"},
            "uploadUrl": {"type": "string"},
            "eventSourceUrl": {"type": "string"},
            "state": {"type": "string"},
        },
    },
    "JmapProblem": {
        "type": "object",
        "description": "Why a request was refused as a whole (RFC 8620 §3.6.1).",
        "required": ["type", "status"],
        "properties": {
            "type": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "limit": {"type": "string"},
        },
    },
    "JmapBlob": {
        "type": "object",
        "description": "RFC 8620 §6.1.",
        "required": ["accountId", "blobId", "type", "size"],
        "properties": {
            "accountId": {"type": "string"},
            "blobId": {"type": "string"},
            "type": {"type": "string"},
            "size": {"type": "integer"},
        },
    },
    "UploadSlotIn": {
        "type": "object",
        "required": ["size", "type"],
        "properties": {
            "size": {"type": "integer", "minimum": 1, "description": "Bytes."},
            "type": {"type": "string"},
        },
    },
    "UploadSlot": {
        "type": "object",
        "description": "Where to put a blob that is too large for an upload by itself.",
        "required": ["accountId", "blobId", "method", "url", "headers", "expires"],
        "properties": {
            "accountId": {"type": "string"},
            "blobId": {"type": "string"},
            "method": {"type": "string", "const": "PUT"},
            "url": {"type": "string"},
            "headers": {"type": "object"},
            "expires": {"type": "string"},
        },
    },
}
PROBLEM: Json = {
    "application/problem+json": {
        "schema": {
            "anyOf": [{"$ref": "#/components/schemas/Problem"}, {"$ref": "#/components/schemas/JmapProblem"}]
        }
    }
}
SIGNED_IN: list[Json] = [{"session": []}, {"password": []}]
CALL = {
    "using": ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"],
    "methodCalls": [["Mailbox/get", {"accountId": "a1b2c3", "ids": None}, "0"]],
}
LOCATION = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}


def _of(name: str) -> Json:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _refusals(*more: tuple[int, str]) -> Json:
    known = [
        (401, "No valid session or password."),
        (403, "The domain or mailbox is not served just now."),
        (429, "Too many log-ins."),
        (503, "Too busy just now."),
        *more,
    ]
    return {str(status): {"description": words, "content": PROBLEM} for status, words in known}


def _variable(name: str, words: str) -> Json:
    schema = {"type": "string", "minLength": 1, "maxLength": 320}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def _operation(id: str, summary: str, responses: Json, **more: Any) -> Json:
    return {
        "operationId": id,
        "tags": [JMAP],
        "summary": summary,
        "security": SIGNED_IN,
        "responses": responses,
        **more,
    }


ACCOUNT = _variable("account_id", "Of the session.")
ABSENT = (404, "There is no such account or blob.")
MALFORMED = (400, "The body is malformed.")
LARGE = (413, "It is too large.")
INVALID = (422, "`size` or `type` is not right.")
FULL = (409, "The mailbox is full.")
BINARY: Json = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
PATHS: Json = {
    "/.well-known/jmap": {
        "get": _operation(
            "jmap_well_known",
            "The session object, by the address that clients know (RFC 8620 §2.2)",
            {"200": {"description": "As asked.", "content": _of("JmapSession")}, **_refusals()},
        )
    },
    "/jmap/session": {
        "get": _operation(
            "jmap_session",
            "The session object",
            {"200": {"description": "As asked.", "content": _of("JmapSession")}, **_refusals()},
        )
    },
    "/jmap/api": {
        "post": _operation(
            "jmap_api",
            "Method calls",
            {
                "200": {"description": "As asked.", "content": _of("JmapResponse")},
                **_refusals(MALFORMED, LARGE),
            },
            requestBody={
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/JmapRequest"},
                        "example": CALL,
                    }
                },
            },
        )
    },
    "/jmap/upload/{account_id}": {
        "post": _operation(
            "jmap_upload",
            "Keep a blob for a day or two (RFC 8620 §6.1)",
            {"201": {"description": "Kept.", "content": _of("JmapBlob")}, **_refusals(ABSENT, LARGE, FULL)},
            parameters=[ACCOUNT],
            requestBody=BINARY,
        )
    },
    "/jmap/upload-url/{account_id}": {
        "post": _operation(
            "jmap_upload_url",
            "An address to put a larger blob to",
            {
                "200": {"description": "As asked.", "content": _of("UploadSlot")},
                **_refusals(ABSENT, MALFORMED, INVALID, LARGE, FULL),
            },
            parameters=[ACCOUNT],
            requestBody={
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/UploadSlotIn"},
                        "example": {"size": 9_000_000, "type": "application/pdf"},
                    }
                },
            },
        )
    },
    "/jmap/download/{account_id}/{blob_id}/{name}": {
        "get": _operation(
            "jmap_download",
            "A blob, by a redirect that holds for five minutes (RFC 8620 §6.2)",
            {"302": {"description": "There.", "headers": LOCATION}, **_refusals(ABSENT)},
            parameters=[
                ACCOUNT,
                _variable("blob_id", "The blob."),
                _variable("name", "The file name it shall have."),
                {
                    "name": "type",
                    "in": "query",
                    "schema": {"type": "string"},
                    "description": "Its media type.",
                },
            ],
        )
    },
    "/jmap/events": {
        "get": _operation(
            "jmap_events",
            "No events are pushed: clients poll",
            {"204": {"description": "None, and do not ask again (RFC 8620 §7.3)."}},
            security=[],
        )
    },
}
