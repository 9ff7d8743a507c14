"""Gradio's theme in this page's colors: system fonts, so that none is downloaded."""

from __future__ import annotations

import gradio as gr

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "DejaVu Sans", "sans-serif")


def theme() -> gr.themes.Base:
    """Calm: two greys, one deep green, hairlines, 10 px corners."""
    green = gr.themes.Color(
        "#eef6f4", "#e3f0ed", "#c4e0d9", "#98cabe", "#5fb09f", "#2f8f7c", "#0f6b5c", "#0d5c4f", "#0a483e", "#07352e",
        "#05241f", name="lens",
    )  # fmt: skip
    base = gr.themes.Base(
        primary_hue=green, secondary_hue=green, neutral_hue="slate", radius_size=gr.themes.sizes.radius_md,
        font=list(FONTS), font_mono=["ui-monospace", "DejaVu Sans Mono", "monospace"],
    )  # fmt: skip
    return base.set(
        body_background_fill="#f7f9fa", body_background_fill_dark="#12181e", block_border_width="1px",
        block_shadow="none", block_background_fill="#ffffff", block_background_fill_dark="#1a222a",
        block_border_color="#dfe4e9", block_border_color_dark="#303a44", block_label_text_size="12px",
    )  # fmt: skip
