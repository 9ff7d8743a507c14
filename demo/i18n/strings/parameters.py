"""Why a value sent to the page is refused."""

from __future__ import annotations

STRINGS = {
    "parameters.invalid": "{name} must be {expected}, not {value}.",
    "parameters.whole_number": "an integer from {low} to {high}",
    "parameters.number": "a number from {low} to {high}",
    "parameters.flag": "true or false",
    "parameters.text": "text of at most {most} characters",
    "parameters.text_or_number": "text of at most {most} characters, or an integer",
    "parameters.choice": "one of {names}",
    "parameters.choice_or_empty": "empty or one of {names}",
    "parameters.values": "a list of at most {most} values",
    "parameters.identifier": "at most {most} letters, digits, - and _",
    "parameters.image": "an uploaded image file",
    "parameters.invalid_field": "{name} cannot be {value}.",
    "parameters.not_json": "The request is not a JSON object. Send it as application/json.",
    "parameters.not_jpeg": "The request is not a JPEG. Send it as image/jpeg.",
    "parameters.too_large": "The request is too large. Send fewer values.",
    "parameters.arguments": "This event takes {expected} values; the request contains {count}.",
    "parameters.failed": (
        "An unexpected error occurred; details are in the server's log. Try again, or reload the page."
    ),
}
