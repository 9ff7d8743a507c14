"""Tab Live."""

from __future__ import annotations

STRINGS = {
    "live.start": "Start the camera",
    "live.stop": "Stop the camera",
    "live.freeze": "Freeze and analyze",
    "live.privacy": "Frames are analyzed in memory and stored nowhere. A frozen frame is kept like an uploaded image.",
    "live.camera": "Camera",
    "live.attention": "Attention from the marked position",
    "live.grad_cam": "Grad-CAM of {label}",
    "live.kernels": "{count} kernels, {layer}",
    "live.rate": "{model}: {fps} frames a second, {latency} ms from camera to map",
    "live.cam_off": "Grad-CAM is off: with it this server does not reach {least} frames a second.",
    "live.insecure": (
        "Browsers allow the camera only on https addresses and on localhost. Open this page at one of them, or upload "
        "a photo."
    ),
    "live.no_camera": "No camera was found. Connect one, or upload a photo.",
    "live.denied": "The browser did not allow the camera. Allow it in the browser’s site settings, then start again.",
    "live.in_use": "The camera could not be opened. Close other programs that use it, then start again.",
    "live.failed": "The connection to the server was lost. Start the camera again.",
    "live.full": "{most} visitors use the camera at the moment, the most that this server allows.",
    "live.one_frame": "The previous frame is still being analyzed, so this one was dropped.",
}
