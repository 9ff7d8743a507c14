/* Maps over a photo, fast enough to follow a pointer: what does not change from one move to the next is made once.
   A photo becomes numbers once, a grid's placement on a canvas once, the colors once a setting of the display
   (window.lensMaps.blend is asked what it does to black, red and white). One paint is then a few additions a pixel. */
(() => {
  const STEPS = 1021; // of the scale: four a color
  const grounds = new WeakMap(); // image -> {size: ground}
  const placements = new Map();
  let colors = { of: "", ramp: null };

  /* The photo at a canvas' size: RGB and its gray, as numbers. */
  function groundOf(image, width, height) {
    const known = grounds.get(image) || {}, size = `${width} ${height} ${window.lensDisplay.seen}`;
    grounds.set(image, known);
    return (known[size] ||= sample(image, width, height));
  }

  function sample(image, width, height) {
    const canvas = document.createElement("canvas");
    canvas.width = width; canvas.height = height;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = !window.lensDisplay.seen;
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height), rgb = new Float32Array(3 * width * height);
    const gray = new Float32Array(width * height);
    for (let i = 0; i < gray.length; i++) {
      for (let c = 0; c < 3; c++) rgb[3 * i + c] = data[4 * i + c];
      gray[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    }
    return { rgb, gray };
  }

  function placementOf(map, height, width) {
    const key = [map.rows, map.cols, map.stride, map.origin, ...map.view, height, width].join();
    if (!placements.has(key)) {
      const { neighbors } = window.lensMaps;
      placements.set(key, { y: neighbors(height, map.view[0], map.rows, map), x: neighbors(width, map.view[1], map.cols, map) });
    }
    return placements.get(key);
  }

  /* What becomes of a pixel at every step of a scale from 0 to 1: gray * gray + own * itself + add. */
  function rampOf(scale) {
    const of = JSON.stringify([window.lensDisplay, scale.colormap]);
    if (colors.of !== of) colors = { of, ramp: probe(window.lensParts.toned({ ...scale, range: [0, 1] })) };
    return colors.ramp;
  }

  function probe(scale) {
    const values = Float32Array.from({ length: STEPS }, (_, k) => k / (STEPS - 1)), lut = window.lensParts.lutOf(scale);
    const [black, red, white] = [[0, 0, 0], [255, 0, 0], [255, 255, 255]].map((rgb) => {
      const pixels = new Float32Array(4 * STEPS);
      for (let k = 0; k < STEPS; k++) pixels.set(rgb, 4 * k);
      window.lensMaps.blend(pixels, values, scale, lut, window.lensDisplay.opacity);
      return pixels;
    });
    const add = new Float32Array(3 * STEPS), gray = new Float32Array(STEPS), own = new Float32Array(STEPS);
    for (let k = 0; k < STEPS; k++) {
      for (let c = 0; c < 3; c++) add[3 * k + c] = black[4 * k + c];
      gray[k] = (red[4 * k + 1] - black[4 * k + 1]) / (0.299 * 255); // green of a red pixel: only its gray
      own[k] = (white[4 * k] - black[4 * k]) / 255 - gray[k];
    }
    return { add, gray, own };
  }

  /* The map over the photo, colors from 0 to `high`. The canvas keeps its size: it was set by `fit`. */
  function paint(canvas, map, image, high, scale) {
    const { width, height } = canvas, ground = groundOf(image, width, height), { y, x } = placementOf(map, height, width);
    const ramp = rampOf(scale), context = canvas.getContext("2d");
    const out = (canvas.lensPixels ||= context.createImageData(width, height)), data = out.data;
    const { values, cols } = map, line = new Float32Array(cols), factor = high > 0 ? (STEPS - 1) / high : 0;
    for (let i = 0, p = 0; i < height; i++) {
      const top = y.before[i] * cols, bottom = y.after[i] * cols, down = y.share[i];
      for (let c = 0; c < cols; c++) line[c] = (values[top + c] * (1 - down) + values[bottom + c] * down) * factor;
      for (let j = 0; j < width; j++, p++) {
        const along = x.share[j], at = line[x.before[j]] * (1 - along) + line[x.after[j]] * along;
        const k = Math.min(Math.round(at), STEPS - 1), base = ramp.gray[k] * ground.gray[p], own = ramp.own[k];
        data[4 * p] = base + own * ground.rgb[3 * p] + ramp.add[3 * k];
        data[4 * p + 1] = base + own * ground.rgb[3 * p + 1] + ramp.add[3 * k + 1];
        data[4 * p + 2] = base + own * ground.rgb[3 * p + 2] + ramp.add[3 * k + 2];
        data[4 * p + 3] = 255;
      }
    }
    context.putImageData(out, 0, 0);
  }

  /* A canvas of a view's shape, its longest side in pixels. */
  function fit(canvas, [height, width], longest) {
    const scale = longest / Math.max(height, width);
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }

  window.lensPainter = { fit, paint };
})();
