"""What OSRA mixes into the unit under the crosshair."""

from __future__ import annotations

from ..cells import Json, key_words, look_cell, missing, scale, tiles_cell, transposed
from ..columns import Column
from .scene import Scene


def attention(scene: Scene) -> Json:
    done = [c.study for c in scene.columns if c.study is not None and not missing(c, "attention")]

    def small(column: Column) -> Json:
        a = column.study.attention
        names = [f"head {i + 1}" for i in range(len(a.heads))]
        words = ", ".join(f"{n} {e:.2f}" for n, e in zip(names, a.entropy, strict=True))
        return tiles_cell(a.heads, names, f"entropy: {words}", f"{len(names)} heads of {column.title}", show=True)

    large = scale([s.attention.mean for s in done], "weight", "magma")
    every = scale([s.attention.heads for s in done], "weight", "magma")
    rows = [
        (
            "Over the picture",
            "what the unit under the crosshair mixes in",
            large,
            lambda c: look_cell(c, "attention"),
        ),
        ("All heads", f"each {key_words(done)} keys, as they are", every, small),
    ]
    return transposed(scene.columns, rows, "attention")
