/* Boxes, arrows and words of a figure, in SVG. A box is a button: {kind, title, lines, name, go}; go reaches Python.
   window.lensBoxes(width, trigger, draw) -> <svg>: draw(pen) draws with the pen and returns the height.
   Everything is in pixels of the page, so that words keep their size on a phone. */
(() => {
  const NS = "http://www.w3.org/2000/svg", TITLE = 14, LINE = 12, LEAD = 15.5, PAD = 9;
  const ruler = document.createElement("canvas").getContext("2d");

  function node(tag, attributes, text) {
    const made = document.createElementNS(NS, tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  /* Text in lines no wider than `wide`; what has no space in it (Chinese) breaks anywhere, "4 × 4" nowhere. */
  function wrapped(text, wide, size, weight = 400) {
    ruler.font = `${weight} ${size}px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif`;
    const fits = (line) => ruler.measureText(line).width <= wide, lines = [];
    let line = "";
    for (const piece of text.replaceAll(" × ", "\u00a0×\u00a0").match(/[⺀-鿿＀-￯]| +|[^ ⺀-鿿＀-￯]+/g) || []) {
      if (line.trim() && !fits((line + piece).trimEnd())) { lines.push(line.trim()); line = ""; }
      line += piece;
    }
    return [...lines, line.trim()].filter(Boolean);
  }

  function pen(svg, trigger) {
    const add = (made, to = svg) => { to.append(made); return made; };

    /* The words of a box of this width, and the height they take. */
    function measure(box, w, above = 0) {
      const title = wrapped(box.title, w - 2 * PAD, TITLE, 650), lines = box.lines.flatMap((line) => wrapped(line, w - 2 * PAD, LINE));
      return { title, lines, above, height: 2 * PAD + above + title.length * (TITLE + 4) + lines.length * LEAD };
    }

    function button(box, x, y, w, h) {
      const group = add(node("g", { class: `lens-box ${box.kind}`, role: "button", tabindex: 0, "aria-label": box.name }));
      const open = () => trigger("select", { go: box.go });
      group.dataset.view = box.go.view;
      group.addEventListener("click", open);
      group.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open();
      });
      add(node("rect", { x, y, width: w, height: h, rx: 9 }), group);
      return group;
    }

    /* A box with its words from the top left, or in the middle. between: what is drawn between title and lines. */
    function box(one, x, y, w, h, { above = 0, between, middle = false } = {}) {
      const said = measure(one, w, above), group = button(one, x, y, w, h), at = middle ? x + w / 2 : x + PAD;
      let down = y + PAD + (middle ? Math.max(0, (h - said.height) / 2) : 0) + TITLE - 1;
      const write = (text, className) => add(node("text", { x: at, y: down, class: className, "text-anchor": middle ? "middle" : "start" }, text), group);
      for (const line of said.title) { write(line, "title"); down += TITLE + 4; }
      if (between) { between(group, x + PAD, down - TITLE + 3); down += above; }
      for (const line of said.lines) { write(line, "line"); down += LEAD; }
      return group;
    }

    /* A thin box with its title alone; up: written upwards. */
    function bar(one, x, y, w, h, up = false) {
      const group = button(one, x, y, w, h), cx = x + w / 2, cy = y + h / 2;
      add(node("text", { x: cx, y: cy, class: "line", "text-anchor": "middle", "dominant-baseline": "central", ...(up ? { transform: `rotate(-90 ${cx} ${cy})` } : {}) }, one.title), group);
      return group;
    }

    function arrow(...points) {
      const [[x0, y0], [x1, y1]] = points.slice(-2), angle = Math.atan2(y1 - y0, x1 - x0), size = 6;
      const back = (turn) => `${x1 - size * Math.cos(angle + turn)},${y1 - size * Math.sin(angle + turn)}`;
      line(...points);
      add(node("path", { d: `M${back(0.45)} L${x1},${y1} L${back(-0.45)}`, class: "lens-way" }));
    }
    /* With round corners. */
    function line(...points) {
      let d = `M${points[0]}`;
      for (let i = 1; i < points.length; i++) {
        const [x, y] = points[i], next = points[i + 1];
        if (!next) { d += ` L${x},${y}`; continue; }
        const [px, py] = points[i - 1], near = (ax, ay) => { const l = Math.hypot(ax - x, ay - y), r = Math.min(8, l / 2); return `${x + ((ax - x) * r) / l},${y + ((ay - y) * r) / l}`; };
        d += ` L${near(px, py)} Q${x},${y} ${near(...next)}`;
      }
      add(node("path", { d, class: "lens-way" }));
    }
    function sign(text, x, y) {
      add(node("circle", { cx: x, cy: y, r: 9, class: "lens-sign" }));
      const d = text === "+" ? "M-4.5,0H4.5M0,-4.5V4.5" : "M-3.2,-3.2L3.2,3.2M3.2,-3.2L-3.2,3.2";
      add(node("path", { d, transform: `translate(${x} ${y})`, class: "lens-way" }));
    }
    /* Small words beside an arrow. */
    function note(text, x, y, anchor = "middle") {
      add(node("text", { x, y, class: "note", "text-anchor": anchor }, text));
    }
    return { add, node, measure, box, bar, arrow, line, sign, note };
  }

  window.lensBoxes = (width, trigger, draw) => {
    const svg = node("svg", { role: "group", width });
    const height = Math.ceil(draw(pen(svg, trigger)));
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return svg;
  };
})();
