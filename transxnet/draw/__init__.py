"""Results -> images: overlays, kernel grids, bars, sheets. numpy, OpenCV and Matplotlib's Figure; no torch."""
