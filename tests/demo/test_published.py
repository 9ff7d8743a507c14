"""The published numbers: every row parses and says where it is from."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from demo.published import FILE, Source, published
from demo.views.chart import chart

HEAD = "model,variant,family,resolution,params_m,gmacs,imagenet_top1,imagenet_v2_top1,source_url"


def test_every_row_is_read_once():
    with FILE.open(encoding="utf-8", newline="") as lines:
        assert len(published()) == len(list(csv.reader(lines))) - 1 > 100
    assert max(Counter((row.model, row.variant) for row in published()).values()) == 1
    assert {row.family for row in published()} == {"cnn", "transformer", "hybrid"}


@pytest.mark.parametrize("row", published(), ids=lambda row: row.name)
def test_rows_are_plausible_and_have_sources(row):
    assert 3 < row.params_m < 200
    assert 0.5 < row.gmacs < 80
    assert 75 < row.top1 < 87
    assert row.v2_top1 is None or 5 < row.top1 - row.v2_top1 < 16  # ImageNet-V2 is harder for all
    assert row.resolution in (160, 192, 224, 256, 288, 300, 320, 380, 384, 456)
    assert row.sources
    for source in row.sources:
        assert source.label.startswith(("github.com/", "arxiv.org/abs/", "pmc.ncbi.nlm.nih.gov/"))
        assert not {" ", ";", ","} & set(source.url)


def test_transxnet_values_match_the_paper():
    transxnet = {
        row.variant: (row.top1, row.gmacs, row.params_m, row.v2_top1) for row in published() if row.model == "TransXNet"
    }
    assert transxnet == {
        "T": (81.6, 1.8, 12.8, 70.7), "S": (83.8, 4.5, 26.9, 73.8), "B": (84.6, 8.3, 48.0, 75.0),
        "B@384": (85.5, 24.2, 48.0, 76.1),
    }  # fmt: skip


def test_names_and_sources_are_parsed(tmp_path):
    file = tmp_path / "two.csv"
    file.write_text(
        f"{HEAD}\nA,T,cnn,224,1,2,80,,https://github.com/a/b/blob/1/c.md ; https://arxiv.org/abs/1 (GMACs; top-1)\n"
        "ResNet,timm: resnet50.a1_in1k,cnn,224,1,2,80,70.5,https://github.com/a/b\n",
        encoding="utf-8",
    )
    first, second = published(file)
    assert (first.name, first.by_timm, first.v2_top1) == ("A T", False, None)
    assert first.sources[1] == Source("https://arxiv.org/abs/1", "GMACs; top-1")
    assert [source.label for source in first.sources] == ["github.com/a/b", "arxiv.org/abs/1"]
    assert (second.name, second.by_timm, second.v2_top1) == ("resnet50.a1_in1k", True, 70.5)


@pytest.mark.parametrize("row", ["A,T,cnn,224,1,2,80,,no address", "A,T,cnn,big,1,2,80,,https://a.b/c", "A,T"])
def test_damaged_or_missing_file_gives_no_rows(tmp_path, row, caplog):
    file = tmp_path / "damaged.csv"
    file.write_text(f"{HEAD}\n{row}\n", encoding="utf-8")
    assert published(file) == ()
    assert published(tmp_path / "none.csv") == ()
    assert caplog.text.count("no published numbers") == 2


def test_rows_with_gmacs_of_timm_are_counted():
    """The chart's note names their number."""
    rows = [row for row in published() if row.has_gmacs_of_timm]
    assert len(rows) == 10
    assert {row.model for row in rows} == {"PVTv2", "DeiT", "EfficientFormer"}
    assert "10 rows of the authors' set take GMACs from timm" in chart([])["strings"]["note"]
