/* The Compare view: rows as elsewhere, then differences, the wipe, tables and the chart; or two photos, rows only.
   Payload: demo/views/compare.py. Differences are subtracted here, second minus first, in float32 as the library does. */
(() => {
  const { make, barOf, keepFocus } = window.lensParts, { cellOf } = window.lensCells;

  function chosen({ label, chips, photos }, trigger) {
    const bar = make("div", "lens-compare-bar"), pressed = (chips.find((chip) => chip.pressed) || {}).key;
    const change = (fields) => trigger("select", { change: fields });
    const maps = window.lensChoices(label, chips.map((chip) => [chip.key, chip.label]), () => pressed, (key) => change({ compared: key }));
    const both = make("button", "lens-compare-switch", photos.label);
    both.type = "button";
    both.dataset.keep = "photos";
    both.setAttribute("aria-pressed", String(photos.pressed));
    both.addEventListener("click", () => change({ photos: !photos.pressed }));
    if (photos.pressed) maps.hidden = true; // of variants side by side
    bar.append(maps, both);
    return bar;
  }

  function headed({ title, sub, bar }, drawings) {
    const section = make("section", "lens-row"), header = make("header");
    header.append(make("h3", "", title));
    if (sub) header.append(make("p", "", sub));
    if (bar) {
      const { bar: node, draw } = barOf(bar);
      header.append(node);
      drawings.push(draw);
    }
    section.append(header);
    return section;
  }

  function differencesOf(common, images, trigger, drawings) {
    const { differences } = common, section = headed(differences, drawings), cells = make("div", "lens-cells");
    for (const one of differences.cells) {
      const first = common.values[one.a], values = common.values[one.b].map((value, i) => value - first[i]);
      const cell = { ...one, kind: "map", image: common.image, box: common.box, map: window.lensMapOf(common, values) };
      cells.append(cellOf(cell, differences.bar, images, trigger, drawings));
    }
    section.append(cells);
    return section;
  }

  /* head: one text a column. rows: [{title, key, cells: [[text, …]]}]: a first line, further ones small below it. */
  function tableOf(className, head, rows) {
    const table = make("table", `lens-table ${className}`), top = make("tr"), body = make("tbody"), thead = make("thead");
    for (const text of head) {
      const cell = make(text ? "th" : "td", "", text); // the corner is no heading
      if (text) cell.scope = "col";
      top.append(cell);
    }
    for (const row of rows) {
      const line = make("tr"), name = make("th", "", row.title);
      name.scope = "row";
      if (row.key) line.dataset.key = row.key;
      line.append(name);
      for (const texts of row.cells) {
        const cell = make("td");
        texts.forEach((text, i) => cell.append(make(i ? "small" : "span", "", text)));
        line.append(cell);
      }
      body.append(line);
    }
    thead.append(top);
    table.append(thead, body);
    return table;
  }

  function agreementOf({ title, head, rows, note }) {
    const section = headed({ title }, []);
    section.append(tableOf("agreement", head, rows.map(([name, ...cells]) => ({ title: name, cells: cells.map((text) => [text]) }))), make("p", "lens-compare-note", note));
    return section;
  }

  function costsOf(costs) {
    const section = headed(costs, []), table = tableOf("costs", ["", ...costs.head], costs.rows);
    section.dataset.measuring = costs.measuring;
    section.append(table, make("p", "lens-compare-note", costs.note));
    return section;
  }

  window.lensLayouts.compare = (body, payload, trigger) => {
    const drawings = [], maps = make("div", "lens-compare-maps"), { common, images } = payload;
    body.dataset.photos = payload.photos;
    body.append(chosen(payload.choose, trigger), maps);
    drawings.push(window.lensLayouts.matrix(maps, payload, trigger));
    if (!payload.photos) {
      if (payload.units) body.append(make("p", "lens-compare-note", payload.units));
      if ((payload.instead || "").trim()) body.append(make("p", "lens-instead", payload.instead));
      if (common) {
        common.values = common.maps.map(window.lensMaps.decode);
        const side = make("div", "lens-compare-pairs");
        side.append(window.lensWipe(common, images, drawings), differencesOf(common, images, trigger, drawings));
        body.append(side, agreementOf(common.table));
      }
      body.append(costsOf(payload.costs), window.lensChart(payload.chart));
    }
    keepFocus(body);
    return () => drawings.forEach((draw) => draw());
  };
})();
