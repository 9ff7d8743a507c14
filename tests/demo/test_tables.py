"""The payload of the Attention tab: whole tables in bytes, sent once, and their geometry."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from demo.columns import Column
from demo.state import ViewState
from demo.tables import table_json, table_key
from demo.views import Scene, view
from tests.fixtures.small_model import image, small_model
from transxnet.cost import cost
from transxnet.study import StudyOptions, study

ONLY = ("block_table", "stage_tables")
IMAGE, OTHER_IMAGE = image(), image(1)


@pytest.fixture(scope="module")
def columns() -> list[Column]:
    """The model twice, on two images, and once without OSRA."""
    models = [("pico", small_model(), IMAGE), ("pico@untrained", small_model(), OTHER_IMAGE)]
    models.append(("pico_noosra", small_model(osra=False), IMAGE))
    options = StudyOptions(stage=2, block=1, analyses=ONLY)
    return [Column(name, study(model, source, options), cost(model.model)) for name, model, source in models]


def render(columns, **fields) -> dict:
    return view("attention", Scene(columns, IMAGE, **fields))


def weights(table: dict) -> np.ndarray:
    """(heads, Nq, Nk), as the browser decodes them."""
    scales = np.frombuffer(base64.b64decode(table["scales"]), "<f4").reshape(table["heads"], -1)
    steps = np.frombuffer(base64.b64decode(table["weights"]), np.uint8)
    return steps.reshape(*scales.shape, -1) * scales[..., None]


def test_columns_name_the_tables_of_their_blocks(columns):
    panel = render(columns)
    large, heads, stages = (row["cells"] for row in panel["rows"])
    assert [cell["kind"] for cell in large] == ["attention", "attention", "text"]
    reason = columns[2].study.missing["block_table"].replace("transxnet_small", columns[2].title)
    assert large[2]["text"] == reason  # said once
    assert [cell.get("text") for cell in (heads[2], stages[2])] == ["", ""]
    for i, column in enumerate(columns[:2]):
        s = column.study
        assert large[i]["table"] == heads[i]["table"] == table_key(s, s.block_table)
        assert stages[i]["tables"] == [table_key(s, table) for table in s.stage_tables]
        assert [panel["tables"][key]["stage"] for key in stages[i]["tables"]] == [1, 2, 3, 4]
    assert len(panel["tables"]) == 10  # two images, five blocks each
    json.dumps(panel, allow_nan=False)


def test_table_has_every_head_to_half_a_step(columns):
    s = columns[0].study
    raw = study(small_model(), IMAGE, StudyOptions(stage=2, block=1, analyses=("attention_table",))).attention_table
    table = render(columns)["tables"][table_key(s, s.block_table)]
    assert (table["stage"], table["block"], table["heads"]) == (2, 1, 2)
    step = raw.weights.max(axis=-1, keepdims=True) / 255
    assert (np.abs(weights(table) - raw.weights) <= step / 2 * (1 + 1e-4)).all()


def test_table_has_the_geometry_of_queries_and_keys(columns):
    table = table_json(columns[0].study.block_table)
    assert table["queries"] == {"rows": 8, "cols": 8, "stride": 8, "origin": 0}
    assert table["keys"] == {"rows": 2, "cols": 2, "stride": 32, "origin": 0}
    assert table["input_size"] == [64, 64]
    assert table["box"] == [10, 0, 90, 80]  # of a 100 x 80 image the middle is seen


def test_tables_of_the_browser_are_not_sent_again(columns):
    first = render(columns[:1])
    keys = tuple(first["tables"])
    again = render(columns[:2], cached_tables=keys, state=ViewState(position=(3, 4)))
    assert [again["tables"][key] for key in keys] == [None] * 5
    assert sum(table is not None for table in again["tables"].values()) == 5  # the other image's
    assert again["rows"][0]["cells"][0] == first["rows"][0]["cells"][0]
    assert again["position"] == [3, 4]
    assert all(render(columns[:1])["tables"].values())  # a browser that has none gets all


def test_keys_depend_on_image_block_and_weights(columns):
    s = columns[0].study
    other = replace(s, provenance=replace(s.provenance, sha256="cd" * 32))
    keys = {
        table_key(study_, table)
        for study_ in (s, columns[1].study, other)
        for table in (s.block_table, *s.stage_tables)
    }
    assert len(keys) == 15


def test_both_directions_have_their_text(columns):
    text = render(columns)["strings"]
    assert (text["direction_from"], text["direction_to"]) == ("Attends to", "Attended by")
    assert text["heads_hint_from"].startswith("2 × 2 keys per head")
    assert text["heads_hint_to"].startswith("8 × 8 queries per head")
    numbers = {"layer": "l", "which": "w", "peak": 1, "entropy": 2, "distance": 3, "total": 4, "even": 5}
    assert all("{" not in text[f"caption_{name}"].format(**numbers) for name in ("from", "to", "max"))
