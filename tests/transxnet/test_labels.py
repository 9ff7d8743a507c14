"""Classes by index, WNID and name; classes of the user's own."""

from __future__ import annotations

import pytest

from transxnet.errors import OutOfRange, UnknownName
from transxnet.labels import label_set, own_labels, wnid_or_none


def test_ambiguous_names_are_refused_with_the_candidates():
    labels = label_set("imagenet-1k")
    for name, wnids in (("crane", ("n02012849", "n03126707")), ("maillot", ("n03710637", "n03710721"))):
        with pytest.raises(UnknownName) as caught:
            labels.find(name)
        message = str(caught.value)
        assert message.startswith(f"2 classes of imagenet-1k are called '{name}'. Choose one of them: ")
        for wnid in wnids:
            index = labels.wnids.index(wnid)
            assert f"{wnid} (class {index}: " in message
            assert labels.find(wnid) == labels.find(str(index)) == index


def test_every_unambiguous_class_is_found_by_its_name():
    labels = label_set("imagenet-1k")
    for index, name in enumerate(labels.names):
        if labels.names.count(name) == 1:
            assert labels.find(name) == index


def test_own_classes_are_found_by_name():
    labels = own_labels("birds", ["Robin", "great tit", "Robin", "ΣΑΣ"])
    assert labels.wnids == ("Robin (0)", "great tit", "Robin (2)", "ΣΑΣ")
    assert labels.names == ("Robin", "great tit", "Robin", "ΣΑΣ")
    assert (labels.find("GREAT TIT"), labels.find("robin (2)"), labels.find(2), labels.find("σας")) == (1, 2, 2, 3)
    with pytest.raises(UnknownName, match="2 classes of birds are called 'robin'"):
        labels.find("robin")
    with pytest.raises(OutOfRange):
        labels.find(4)
    assert [wnid_or_none(wnid) for wnid in labels.wnids] == [None] * 4


def test_wnids_are_named_by_their_descriptions():
    labels = own_labels("x", ["n01440764", "cat"], {"n01440764": "tench, Tinca tinca", "cat": "house cat, Felis catus"})
    assert labels.names == ("tench", "cat")
    assert labels.wnids == ("n01440764", "cat")
    assert (labels.find("tinca tinca"), labels.find("felis catus"), labels.find("cat")) == (0, 1, 1)
    assert wnid_or_none(labels.wnids[0]) == "n01440764"
