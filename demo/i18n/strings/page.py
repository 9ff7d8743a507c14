"""The page around the tabs: header, side panel, links between parts."""

from __future__ import annotations

STRINGS = {
    "page.title": "TransXNet Lens",
    "page.tagline": "See which kernels TransXNet generates for your image, and where it attends.",
    "page.or_join": " or ",
    "page.skip": "Skip to the maps",
    "page.back": "Back to the image",
    "page.weights_from": "Weights from {where}",
    "page.downloaded_first": "downloads weights on first use",
    "page.models_hint": "↓ downloads weights",
    "page.language": "Language",
    "page.language_hint": "Reload this page in another language; your selections are kept.",
    "page.language_upload": "Reload this page in another language. Your image is not kept: upload it again there.",
    "page.in_english": "Text inside figures, their data tables, class names and downloaded files are in English.",
    "page.your_image": "Your image",
    "page.drop": "Drop, paste, upload or take a photo",
    "page.example": "Example: {label}",
    "page.explain": "Explain this prediction",
    "page.explain_any": "Explain any class",
    "page.layer": "Layer",
    "page.layer_hint": "Grad-CAM uses its own layer (stage 4)",
    "page.stage": "Stage",
    "page.stage_number": "stage {stage}",
    "page.block": "Block",
    "page.last_block": "last block",
    "page.models_heading": "Models (up to {number})",
    "page.number_2": "two",
    "page.number_3": "three",
    "page.number_4": "four",
    "page.models": "Models",
    "page.more": "Ablations and other backbones",
    "page.without": "Trained without…",
    "page.without_generated_kernels": "generated kernels",
    "page.without_attention": "attention",
    "page.without_ste": "STE",
    "page.add_backbone": "Add a timm backbone",
    "page.add_backbone_hint": "Press Enter to add",
    "page.add_backbone_label": "Add a timm backbone, by name",
    "page.any_class": "Choose a class",
    "page.busy": "The server is busy. Try again in a few seconds.",
    "page.offer": "T is loaded: add it to the comparison",
    "page.cam_layer": "Grad-CAM layer",
    "page.slower": "Add slower methods: integrated gradients, SmoothGrad, occlusion",
    "page.other_backbones": "Compare with other backbones",
    "page.reference_image": "Reference image",
    "page.reference_image_hint": "an example or your previous image",
    "page.crosshair_role": "image with a query position",
    "page.crosshair_alt": (
        "Your image, {width} × {height} pixels, query position at {x}, {y}. Arrow keys move it; Shift moves it in "
        "larger steps."
    ),
    "page.input_crops": {"one": "Dashed box: {names}'s input crop.", "other": "Dashed boxes: input crops of {names}."},
    "page.and_join": " and ",
    "page.few": "fixed-size",
    "page.root_path": (
        "Parts of this page did not load: a proxy serves it under {path}, which the server does not know. Restart the "
        "server with --root-path {path}."
    ),
}
