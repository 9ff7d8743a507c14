"""What a message repeats of a value that it refuses."""

from __future__ import annotations

import pytest

from transxnet.backbones.spec import spec_of
from transxnet.errors import QUOTED, quote
from transxnet.labels import label_set


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("pico", "'pico'"), ("n" * 78, f"'{'n' * 78}'"), ("n" * 500, f"'{'n' * 77}…'"), (7, "7"), (None, "None"),
        ([1, 2], "[1, 2]"), ("a\x00b", "'a\\x00b'"), ("\ud800", "'\\ud800'"), (10**5000, "a value of type int"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_long_values_are_cut(value, quoted):
    assert quote(value) == quoted


@pytest.mark.parametrize("value", ["\ud800" * 400, ["n" * 500] * 9, {"a": "'" * 300}, "'\"" * 300, 10**400])
def test_a_quoted_value_has_at_most_80_characters(value):
    assert len(quote(value)) <= QUOTED
    quote(value).encode()


@pytest.mark.parametrize("find", [spec_of, label_set("imagenet-1k").find, label_set])
@pytest.mark.parametrize("prefix", ["", "timm:", "timm:x@"])
def test_an_unknown_name_is_cut_in_messages(find, prefix):
    with pytest.raises(LookupError) as caught:
        find(prefix + "zq" * 5000)
    assert "zq" * 41 not in str(caught.value)
