/* Accuracy against cost: lensChart(chart) -> a section with an SVG, a text on the point looked at, and a table.
   chart: demo/views/chart.py; its points are arrays in the order of POINT. Which numbers, which cost and which image
   sizes are shown stays here while the panel is drawn again; nothing is sent and no link is followed by itself. */
(() => {
  const { make, plain } = window.lensParts, SVG = "http://www.w3.org/2000/svg";
  const POINT = ["name", "model", "family", "size", "params_m", "gmacs", "top1", "v2", "sources", "timm", "here"];
  const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200], EDGE = { left: 40, right: 16, top: 30, bottom: 40 }, LABEL = 100;
  const SHAPES = { cnn: "M-4.4,0a4.4,4.4 0 1,0 8.8,0a4.4,4.4 0 1,0 -8.8,0z", transformer: "M-4,-4h8v8h-8z", hybrid: "M0,-5.2L5,4.2H-5z" };
  const state = { axis: "gmacs", set: "authors", size: "224", at: "", open: false }; // at: the point looked at; open: the table

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const drawn = (tag, attributes, text) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const told = (point, words) => fill(words.point, { ...point, params: point.params_m, family: words.family[point.family] });

  /* Where values stand: log of the cost, plain accuracy, a little room at every side. */
  function scalesOf(points, width, height) {
    const costs = points.map((p) => Math.log(p[state.axis])), tops = points.map((p) => p.top1);
    const x0 = Math.min(...costs) - 0.12, x1 = Math.max(...costs) + 0.12, y0 = Math.min(...tops) - 0.6, y1 = Math.max(...tops) + 0.6;
    return {
      x: (cost) => EDGE.left + ((Math.log(cost) - x0) / (x1 - x0)) * (width - EDGE.left - EDGE.right),
      y: (top) => height - EDGE.bottom - ((top - y0) / (y1 - y0)) * (height - EDGE.top - EDGE.bottom),
      costs: TICKS.filter((tick) => Math.log(tick) > x0 && Math.log(tick) < x1),
      tops: Array.from({ length: 100 }, (_, i) => i).filter((top) => top > y0 && top < y1 && (y1 - y0 < 8 || top % 2 === 0)),
    };
  }

  function axes(svg, scales, words, width, height) {
    const bottom = height - EDGE.bottom;
    for (const top of scales.tops) {
      svg.append(drawn("line", { x1: EDGE.left, x2: width - EDGE.right, y1: scales.y(top), y2: scales.y(top), class: "grid" }));
      svg.append(drawn("text", { x: EDGE.left - 7, y: scales.y(top) + 4, "text-anchor": "end" }, top));
    }
    for (const cost of scales.costs) {
      svg.append(drawn("line", { x1: scales.x(cost), x2: scales.x(cost), y1: EDGE.top, y2: bottom, class: "grid" }));
      svg.append(drawn("text", { x: scales.x(cost), y: bottom + 16, "text-anchor": "middle" }, cost));
    }
    svg.append(drawn("text", { x: width - EDGE.right, y: height - 6, "text-anchor": "end", class: "axis" }, words.axis[state.axis]));
    svg.append(drawn("text", { x: 0, y: 12, class: "axis" }, words.y));
  }

  function pointOf(point, scales, own, words) {
    const special = point.model === own && !point.timm, x = scales.x(point[state.axis]), y = scales.y(point.top1);
    const node = drawn("g", { transform: `translate(${x},${y})`, class: `point ${point.family}${special ? " own" : ""}${point.here ? " here" : ""}`, role: "button", tabindex: -1, "aria-label": told(point, words) + (point.here ? `, ${words.here}` : "") });
    node.dataset.name = point.name;
    if (point.here) node.append(drawn("circle", { r: 10, class: "ring" }));
    node.append(drawn("circle", { r: 9, class: "reach" }), drawn("path", { d: SHAPES[point.family] }));
    const label = x < EDGE.left + LABEL ? { x: 11, y: 14, "text-anchor": "start" } : { x: -9, y: -9, "text-anchor": "end" };
    if (special || point.here) node.append(drawn("text", label, point.name));
    return node;
  }

  const linksOf = (point, chart) => point.sources.map(([i, remark]) => {
    const [url, text] = chart.sources[i], link = make("a", "", text), item = make("span");
    Object.assign(link, { href: url, rel: "noopener noreferrer", target: "_blank" });
    item.append(link, remark ? ` (${remark})` : "");
    return item;
  });

  function describe(out, point, chart) {
    const { words } = chart, lines = make("p", "", told(point, words) + (point.v2 === null ? "" : `, ${fill(words.v2, point)}`));
    const sources = make("p", "lens-sources", `${words.source} `);
    if (point.here) lines.append(make("b", "lens-here", words.here));
    linksOf(point, chart).forEach((link, i) => sources.append(i ? ", " : "", link));
    out.replaceChildren(lines, sources);
    out.dataset.name = point.name;
  }

  function table(points, chart) {
    const wrap = make("div", "lens-chart-table"), node = make("table", "lens-table"), head = make("tr"), body = make("tbody"), top = make("thead");
    for (const text of chart.words.head) {
      const cell = make("th", "", text);
      cell.scope = "col";
      head.append(cell);
    }
    for (const point of points) {
      const row = make("tr"), name = make("th", "", point.name), sources = make("td");
      name.scope = "row";
      const numbers = [chart.words.family[point.family], point.size, point.params_m, point.gmacs, point.top1, point.v2 ?? ""];
      linksOf(point, chart).forEach((link, i) => sources.append(i ? ", " : "", link));
      row.append(name, ...numbers.map((value) => make("td", "", value)), sources);
      body.append(row);
    }
    top.append(head);
    node.append(top, body);
    wrap.append(node);
    wrap.tabIndex = 0; // it scrolls
    wrap.setAttribute("role", "region");
    wrap.setAttribute("aria-label", chart.words.table);
    return wrap;
  }

  function legendOf({ family }) {
    const legend = make("p", "lens-chart-legend");
    for (const [key, text] of Object.entries(family)) {
      const item = make("span"), mark = drawn("svg", { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" });
      mark.append(drawn("path", { d: SHAPES[key], class: `mark ${key}` }));
      item.append(mark, ` ${text}`);
      legend.append(item);
    }
    return legend;
  }

  window.lensChart = (chart) => {
    const section = make("section", "lens-row lens-chart"), header = make("header"), { words } = chart;
    header.append(make("h3", "", chart.title), make("p", "", chart.sub));
    section.append(header);
    if (chart.instead) {
      section.append(make("p", "lens-instead", chart.instead));
      return section;
    }
    const all = chart.points.map((values) => Object.fromEntries(POINT.map((key, i) => [key, values[i]])));
    const bar = make("div", "lens-compare-bar"), place = make("div", "lens-plot"), out = make("div", "lens-point-text");
    const more = make("details"), summary = make("summary", "", words.table);
    out.setAttribute("aria-live", "polite");
    let points = [], nodes = [], kept = ""; // kept: the point that stays while a pointer passes others
    let focused = document.activeElement?.matches?.(".lens-plot .point"); // of the chart before this one

    /* marked: with a ring, as long as it is the last that was looked at. */
    function look(i, focus, marked = true) {
      if (marked) state.at = points[i].name;
      nodes.forEach((node, j) => {
        node.setAttribute("tabindex", j === i ? 0 : -1);
        node.classList.toggle("looked", marked && j === i);
      });
      describe(out, points[i], chart);
      if (focus) nodes[i].focus({ preventScroll: true });
    }

    const hold = (i) => { kept = kept === points[i].name ? "" : points[i].name; };

    function draw() {
      const width = Math.round(place.clientWidth), height = Math.round(Math.min(400, Math.max(270, width * 0.5)));
      if (!width) return;
      points = all.filter((p) => p.timm === (state.set === "timm") && (state.size === "all" || p.size === Number(state.size)));
      points.sort((a, b) => a[state.axis] - b[state.axis] || a.top1 - b.top1);
      const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": fill(words.alt, { count: points.length }) });
      const scales = scalesOf(points, width, height), front = (p) => (p.here ? 2 : p.model === chart.own ? 1 : 0);
      axes(svg, scales, words, width, height);
      nodes = points.map((point) => pointOf(point, scales, chart.own, words));
      points.map((point, i) => [front(point), i]).sort((a, b) => a[0] - b[0]).forEach(([, i]) => svg.append(nodes[i]));
      nodes.forEach((node, i) => {
        node.addEventListener("pointerenter", () => { if (!kept) look(i); });
        node.addEventListener("focus", () => { if (state.at !== points[i].name) look(i); });
        node.addEventListener("click", () => { hold(i); look(i, true); });
        node.addEventListener("keydown", (event) => {
          if (!plain(event)) return;
          const to = { ArrowRight: i + 1, ArrowUp: i + 1, ArrowLeft: i - 1, ArrowDown: i - 1, Home: 0, End: points.length - 1 }[event.key];
          if (to !== undefined) look(Math.min(Math.max(to, 0), points.length - 1), true);
          else if (event.key === "Enter" || event.key === " ") hold(i);
          else return;
          event.preventDefault();
        });
      });
      focused ||= place.contains(document.activeElement);
      place.replaceChildren(svg);
      const wanted = points.findIndex((p) => p.name === state.at), here = points.findIndex((p) => p.here);
      if (wanted < 0 && here < 0) {
        out.replaceChildren();
        nodes[0]?.setAttribute("tabindex", 0);
      } else look(wanted >= 0 ? wanted : here, focused, wanted >= 0);
      focused = false;
      if (more.open) more.replaceChildren(summary, table(points, chart));
    }

    const set = (key) => (value) => { state[key] = value; kept = ""; draw(); };
    for (const [key, [label, choices]] of [["set", words.sets], ["axis", words.axes], ["size", words.sizes]]) {
      bar.append(window.lensChoices(label, Object.entries(choices), () => state[key], set(key)));
    }
    summary.dataset.keep = "published";
    more.append(summary);
    more.open = state.open;
    more.addEventListener("toggle", () => {
      state.open = more.open;
      if (more.open) more.replaceChildren(summary, table(points, chart));
    });
    section.append(bar, legendOf(words), place, out, make("p", "lens-compare-note", words.note), more);
    new ResizeObserver(draw).observe(place);
    return section;
  };
})();
