"""A namespace as people write it: which repository at which revision, and what is no namespace."""

from __future__ import annotations

import pytest

from transxnet.errors import SourceFailed, UnknownName
from transxnet.variants import find_variant
from transxnet.weights.namespace import Namespace, parse_namespace

T, S = find_variant("t"), find_variant("s")
COMMIT = "0123456789" * 4


@pytest.mark.parametrize(
    ("text", "of_t", "of_s"),
    [
        ("lens", None, None),
        (" hf-hub:lens/ ", None, None),
        ("lens@v1", "v1", "v1"),
        (f"lens@t={COMMIT}", COMMIT, None),
        (f"lens@v1, transxnet_t = {COMMIT}", COMMIT, "v1"),
        ("lens@S=refs/pr/2,t=v2", "v2", "refs/pr/2"),
    ],
)
def test_parsed_repositories_and_revisions(text, of_t, of_s):
    namespace = parse_namespace(text)
    assert namespace
    assert (namespace.repository(T), namespace.repository(S)) == ("lens/transxnet_t", "lens/transxnet_s")
    assert (namespace.revision_of(T), namespace.revision_of(S)) == (of_t, of_s)
    assert parse_namespace(str(namespace)) == namespace


def test_empty_text_is_no_namespace():
    assert not parse_namespace(" ")
    assert parse_namespace("") == Namespace("")
    assert str(parse_namespace("lens@v1,t=x")) == "lens@v1,t=x"


@pytest.mark.parametrize("text", ["lens@", "lens@t=", "lens@=v1", "@v1", "lens@v1,", "lens@v1,v2"])
def test_invalid_text_is_refused_with_the_syntax(text):
    with pytest.raises(SourceFailed) as caught:
        parse_namespace(text)
    assert str(caught.value) == (
        f"{text!r} is not a Hub namespace with revisions. "
        "Write NAMESPACE, NAMESPACE@REVISION, or NAMESPACE@VARIANT=REVISION,VARIANT=REVISION."
    )


def test_pinned_variant_must_exist():
    with pytest.raises(UnknownName, match="no model called 'xl'"):
        parse_namespace("lens@xl=v1")
