"""Why a value that a browser or a program sent is refused."""

from __future__ import annotations

INVALID = "{name} is {expected}, not {value}."
WHOLE_NUMBER = "a whole number from {low} to {high}"
NUMBER = "a number from {low} to {high}"
FLAG = "true or false"
TEXT = "text of at most {most} characters"
TEXT_OR_NUMBER = "text of at most {most} characters, or a whole number"
CHOICE = "one of {names}"
CHOICE_OR_EMPTY = "empty or one of {names}"
TEXTS = "a list of at most {most} texts of at most {length} characters"
VALUES = "a list of at most {most} values"
IDENTIFIER = "at most {most} letters, digits, - and _"
IMAGE = "an uploaded image file"
OBJECT = "an object with the fields {names}"
ARGUMENTS = "This event takes {wanted} values, but {count} came with the request."
FAILED = "Something unexpected went wrong here; the server's log has the details. Try again, or load the page again."
