"""Figures below the views in dark mode: dark on the page, white in files."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser
CORNER = """(image) => image.decode().then(() => {
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  context.drawImage(image, 0, 0);
  return [...context.getImageData(canvas.width - 1, canvas.height - 1, 1, 1).data.slice(0, 3)];
})"""
SAVED = """(link) => { const image = new Image(); image.src = link.href; return (%s)(image); }"""


@pytest.mark.parametrize(("scheme", "ground"), [("dark", [18, 24, 30]), ("light", [255, 255, 255])])
def test_figures_have_the_colors_of_the_page_and_files_are_white(visit, scheme, ground):
    lens = visit(color_scheme=scheme)
    lens.look_at("erf")
    lens.drawn("erf")
    images = lens.page.locator("#figures-erf .lens-figure img")
    links = lens.page.locator("#figures-erf .lens-saves a[download$=png]")
    assert images.count() == links.count() > 0
    for i in range(images.count()):
        assert images.nth(i).evaluate(CORNER) == ground
        assert links.nth(i).evaluate(SAVED % CORNER) == [255, 255, 255]
