/* What a kernel lets through: |DFT| of the generated and of the static one as two pictures on one scale, and their means
   over rings as two lines. The numbers are js/arithmetic.js'. */
(() => {
  const { make, number, barOf } = window.lensParts, N = 64, PLOT = { width: 320, height: 150, left: 34, right: 8, top: 8, bottom: 30 };
  const svg = (tag, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  function pictureOf(caption) {
    const figure = make("figure", "lens-spectrum"), canvas = make("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", caption);
    figure.append(make("figcaption", "", caption), canvas);
    return { figure, draw: (values, scale) => window.lensCells.drawTile(canvas, { rows: N, cols: N, values }, 0, scale) };
  }

  /* lines: [{name, values, kind}], values at r / N cycles per unit. */
  function chartOf(lines, words) {
    const { width, height, left, right, top, bottom } = PLOT, most = Math.max(...lines.flatMap((line) => [...line.values])) || 1;
    const x = (f) => left + (f / Math.SQRT1_2) * (width - left - right), y = (v) => height - bottom - (v / most) * (height - top - bottom);
    const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words.chart, class: "lens-profile" });
    for (const v of [0, most]) {
      chart.append(svg("line", { x1: left, x2: width - right, y1: y(v), y2: y(v), class: "rule" }));
      chart.append(svg("text", { x: left - 5, y: y(v) + 4, "text-anchor": "end" }, number(v)));
    }
    for (const f of [0, 0.25, 0.5]) chart.append(svg("text", { x: x(f), y: height - bottom + 14, "text-anchor": "middle" }, f));
    chart.append(svg("text", { x: width - right, y: height - 3, "text-anchor": "end" }, words.frequency));
    for (const line of lines) {
      const points = Array.from(line.values, (v, r) => `${x(r / N).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
      chart.append(svg("polyline", { points, class: line.kind }));
    }
    return chart;
  }

  window.lensFrequency = (words) => {
    const root = make("div", "lens-frequency"), pair = make("div", "pair"), legend = make("p", "lens-legend"), plot = make("div"), scaleBar = make("div");
    const made = pictureOf(words.passesGenerated), still = pictureOf(words.passesStatic);
    pair.append(made.figure, still.figure);
    root.append(pair, scaleBar, plot, legend);

    /* generated, fixed: kernels of k x k taps; fixed is null where nothing is generated. */
    function show(generated, fixed, k) {
      const kernels = [[words.passesGenerated, generated, "made", made], [words.passesStatic, fixed, "still", still]].filter((one) => one[1]);
      const spectra = kernels.map((one) => window.lensArithmetic.spectrum(one[1], k, N));
      const high = Math.max(...spectra.map((values) => values.reduce((a, b) => Math.max(a, b), 0)));
      const scale = { range: [0, high], signed: false, root: false, units: words.magnitude, colormap: "magma" };
      kernels.forEach((one, i) => one[3].draw(spectra[i], scale));
      still.figure.hidden = !fixed;
      const { bar, draw } = barOf(scale);
      scaleBar.replaceChildren(bar);
      draw();
      const lines = kernels.map(([name, , kind], i) => ({ name, kind, values: window.lensArithmetic.profile(spectra[i], N) }));
      plot.replaceChildren(chartOf(lines, words));
      legend.replaceChildren(...lines.map((line) => make("span", line.kind, line.name)));
    }
    return { root, show };
  };
})();
