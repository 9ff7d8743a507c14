/* What a kernel lets through: |DFT| of the generated and of the static one as two images on one scale, and their means
   over rings as two lines. The numbers are js/arithmetic.js'. */
(() => {
  const { make, number } = window.lensParts, { fill, largest, barInto } = window.lensBench, N = 64, PLOT = { width: 320, height: 150, left: 42, right: 8, top: 8, bottom: 30 };
  const svg = (tag, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  function imageOf() {
    const figure = make("figure", "lens-spectrum"), caption = make("figcaption"), canvas = make("canvas");
    canvas.setAttribute("role", "img");
    figure.append(caption, canvas);
    function draw(what, values, scale, name) {
      caption.textContent = what;
      canvas.setAttribute("aria-label", name);
      window.lensCells.drawTile(canvas, { rows: N, cols: N, values }, 0, scale);
    }
    return { figure, draw };
  }

  /* lines: [{name, values, kind}], values at r / N cycles per unit. */
  function chartOf(lines, words) {
    const { width, height, left, right, top, bottom } = PLOT, most = Math.max(...lines.flatMap((line) => [...line.values])) || 1;
    const x = (f) => left + (f / Math.SQRT1_2) * (width - left - right), y = (v) => height - bottom - (v / most) * (height - top - bottom);
    const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": fill(words.chart, { lines: lines.map((line) => line.name).join(", ") }), class: "lens-profile" });
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
    const made = imageOf(), still = imageOf();
    pair.append(made.figure, still.figure);
    root.append(pair, scaleBar, plot, legend);

    /* one: a channel as js/inspector.js makes it; where nothing is generated there is nothing to set it beside. */
    function show(one) {
      const lines = [{ name: one.generated ? words.passesGenerated : words.passesLearned, kind: "made", kernel: one.kernel, place: made }];
      if (one.generated) lines.push({ name: words.passesStatic, kind: "still", kernel: one.fixed, place: still });
      for (const line of lines) {
        line.spectrum = window.lensArithmetic.spectrum(line.kernel, one.size, N);
        line.values = window.lensArithmetic.profile(line.spectrum, N);
      }
      const high = largest(...lines.map((line) => line.spectrum));
      const scale = { range: [0, high], signed: false, root: false, units: words.magnitude, colormap: "magma" };
      for (const { name, spectrum, place } of lines) {
        place.draw(name, spectrum, scale, fill(words.namedSpectrum, { what: name, channel: one.name, high: number(high) }));
      }
      still.figure.hidden = !one.generated;
      barInto(scaleBar, scale);
      plot.replaceChildren(chartOf(lines, words));
      legend.replaceChildren(...lines.map((line) => make("span", line.kind, line.name)));
    }
    return { root, show };
  };
})();
