"""From an image to a file of one of its maps without a pointer."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.test_everyone import Walker

pytestmark = pytest.mark.browser
OPEN = "dialog.lens-full-screen[open]"


def test_a_map_of_an_upload_is_exported_with_the_keyboard(visit, tmp_path: Path):
    content = io.BytesIO()
    Image.effect_mandelbrot((320, 320), (-2, -1.5, 1, 1.5), 40).convert("RGB").save(content, "PNG")
    lens = visit()
    # Playwright takes over file dialogs when somebody listens, and may do so after a key that is pressed at once.
    lens.page.on("filechooser", lambda _: None)
    page, walker = lens.page, Walker(lens)
    walker.to(".lens-image-inputs button")
    expect(page.locator(":focus")).to_have_text("Upload")
    page.locator("#upload input[type=file]").wait_for(state="attached")
    with page.expect_file_chooser() as chooser:
        walker.press("Enter")
    with lens.answer():
        chooser.value.set_files({"name": "fractal.png", "mimeType": "image/png", "buffer": content.getvalue()})
    assert page.evaluate("lens.state.upload")
    expect(page.locator(":focus")).to_have_text("Upload")

    walker.to("#other input")
    page.keyboard.type("espresso")
    expect(page.locator("ul[role=listbox] li").first).to_be_visible()
    with lens.answer():
        walker.press("ArrowDown", "Enter")
    expect(page.locator("#other input")).to_have_value("espresso")
    assert page.evaluate("lens.state.target")

    walker.to("#panel-overview .lens-enlarge", most=90)
    walker.press("Enter")
    expect(page.locator(OPEN)).to_have_accessible_name("Attention, pico")
    walker.press("ArrowRight", "ArrowRight")
    expect(page.locator(OPEN)).to_have_accessible_name("Grad-CAM, pico")
    walker.to(f"{OPEN} button.download")
    with page.expect_download() as download:
        walker.press("Enter")
    name = download.value.suggested_filename
    assert name.endswith("-pico-overview-grad_cam-stage4-espresso.png")
    download.value.save_as(tmp_path / name)
    with Image.open(tmp_path / name) as image:
        image.load()
        assert min(image.size) > 300
    walker.press("Escape")
    expect(page.locator("#panel-overview .lens-enlarge").first).to_be_focused()
