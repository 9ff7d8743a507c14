"""Makes pytorch_grad_cam_pico.npz: what pytorch-grad-cam says of the bundled pico, before its ReLU and its scaling.

That package is no dependency of the tests. To make the file again, from the repository's root:

    pip install --no-deps --target ELSEWHERE grad-cam==1.5.7 ttach==0.0.3 scipy scikit-learn joblib threadpoolctl \
        cloudpickle narwhals
    PYTHONPATH=ELSEWHERE:. python tests/data/make_pytorch_grad_cam.py
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("pytorch_grad_cam_pico.npz")
LAYERS = (1, 2, 3, 4, "head")  # stages' outputs, and the head's normalized features


def image() -> np.ndarray:
    """(1, 3, 96, 128) float32 by formula, so that anyone has the same: waves that differ by color."""
    color, row, column = np.meshgrid(np.arange(3), np.arange(96), np.arange(128), indexing="ij")
    waves = np.sin(0.11 * row * (1 + 0.3 * color) + 1.3 * color) + np.cos(0.07 * column - 0.02 * row * color)
    return np.float32(waves)[None]


def main() -> None:
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    import transxnet

    class Raw(GradCAM):
        """Keeps what get_cam_image gives, layer by layer: sum of w_k A_k, no ReLU, no scaling."""

        raw: list[np.ndarray]

        def get_cam_image(self, *args: object, **kwargs: object) -> np.ndarray:
            cam = super().get_cam_image(*args, **kwargs)  # (1, h, w)
            self.raw.append(cam[0])
            return cam

    loaded = transxnet.load("pico")
    x = torch.from_numpy(image()).requires_grad_()  # no parameter of a loaded model asks for a gradient
    classes = loaded.model(x.detach())[0].argsort(descending=True)[:2].tolist()
    layers = [*loaded.model.stage_taps, loaded.model.head_tap]
    stored = {
        "classes": np.int64(classes),
        "weights": np.array(loaded.provenance.sha256),
        "package": np.array(f"grad-cam {version('grad-cam')}, torch {torch.__version__}"),
    }
    for place, index in enumerate(classes):
        with Raw(loaded.model, layers) as cam:
            cam.raw = []
            cam(x, [ClassifierOutputTarget(index)])
            stored |= {f"{place}/{layer}": np.float32(raw) for layer, raw in zip(LAYERS, cam.raw, strict=True)}
    np.savez_compressed(FILE, **stored)


if __name__ == "__main__":
    main()
