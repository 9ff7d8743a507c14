"""Gradio's own controls: the class search, segmented controls, and a quiet console."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
FOCUSED = "document.activeElement.closest('[id]')?.id + ' ' + document.activeElement.value"


def test_tab_closes_the_class_list_and_goes_on(visitor):
    page = visitor.page
    field, options = page.locator("#other input"), page.locator("ul[role=listbox]")
    field.click()
    options.wait_for()
    page.keyboard.press("Tab")
    expect(options).to_have_count(0)
    assert page.evaluate(FOCUSED) == "stage 3"
    page.keyboard.press("Shift+Tab")
    expect(field).to_be_focused()


def test_an_unknown_class_is_answered_and_changes_nothing(visitor):
    lens = visitor
    page, field, message = lens.page, lens.page.locator("#other input"), lens.page.locator(".lens-unknown-class")
    field.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("lion")
    with lens.answer():
        page.keyboard.press("Enter")
    expect(field).to_have_value("lion")
    target, events = page.evaluate("lens.state.target"), lens.events()
    for key in ("Enter", "Tab"):
        field.click()
        page.keyboard.press("Control+A")
        page.keyboard.type("sofa bed")
        expect(page.locator("ul[role=listbox] li")).to_have_count(0)
        page.keyboard.press(key)
        expect(message).to_have_text("No class contains “sofa bed”. The target class is unchanged.")
    expect(field).to_have_value("lion")
    assert (page.evaluate("lens.state.target"), lens.events()) == (target, events)
    field.click()
    page.keyboard.type("s")
    expect(message).to_be_hidden()


def test_segmented_controls_are_one_tab_stop_each(visitor):
    lens = visitor
    page = lens.page
    page.locator("#other input").focus()
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
    assert stops[:2] == ["stage 3", "block 0"]
    assert page.evaluate("document.activeElement.matches('.lens-size select')")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    with lens.answer():
        page.keyboard.press("ArrowRight")
    assert page.evaluate("lens.state.stage") == 4
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED) == "block 0"  # also after its choices have changed


def test_a_load_writes_nothing_to_the_console(visit):
    lens = visit()
    messages = []
    lens.page.on("console", lambda message: messages.append(message.text))
    with lens.answer():
        lens.page.reload()
    lens.settled("overview")
    assert messages == []
