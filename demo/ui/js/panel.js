/* One view of the page. Payload: demo/views/. value: {view, layout, serial, key, intro, foot, images, …}. key: of the
   image, which a position that is clicked belongs to.
   layout: "matrix" and "columns" are {heads: [head], rows: [{title, sub, more, badge, bar, cells: [cell]}]}, drawn here;
   any other is drawn by its own file, as window.lensLayouts[layout](body, payload, trigger), which returns what draws it
   again when a display control moves. trigger("select", …) reaches Page.acted in demo/ui/page.py. */
(() => {
  const { make, barOf, subOf, headOf, whenSeen } = window.lensParts, { cellOf, loadImages } = window.lensCells;

  function rowOf(row, value, trigger, drawings) {
    const section = make("section", "lens-row"), title = make("header"), cells = make("div", "lens-cells");
    title.append(make("h3", "", row.title));
    if (row.badge) title.append(make("span", "lens-badge warn", row.badge));
    title.append(subOf(row));
    if (row.bar) {
      const { bar, draw } = barOf(row.bar);
      title.append(bar);
      drawings.push(draw);
    }
    row.cells.forEach((cell, i) => {
      const head = value.heads[i] || {};
      const node = cellOf(cell, cell.scale || row.bar || head.bar, value.images, trigger, drawings);
      if (cell.scale) { // a scale of its own, with its bar
        const { bar, draw } = barOf(cell.scale);
        node.append(bar);
        drawings.push(draw);
      }
      if (row.cells.length === 1 && value.heads.length > 1) node.classList.add("wide"); // speaks for the whole row
      else if (head.title) node.dataset.head = head.title;
      cells.append(node);
    });
    section.append(title, cells);
    return section;
  }

  function matrix(body, payload, trigger) {
    const drawings = [], heads = make("div", "lens-heads");
    heads.append(...payload.heads.map((head) => headOf(head, drawings)));
    body.style.setProperty("--columns", Math.max(1, payload.heads.length));
    body.classList.toggle("one-column", payload.heads.length === 1 && payload.rows.length > 1); // rows side by side
    body.append(heads, ...payload.rows.map((row) => rowOf(row, payload, trigger, drawings)));
    return () => drawings.forEach((draw) => draw());
  }

  window.lensLayouts = { matrix, columns: matrix };

  window.lensMountPanel = (element, props, trigger, watch) => {
    let redraw = () => {};
    function render() {
      const root = element.querySelector(".lens-panel"), value = props.value;
      if (!value || !value.layout) return;
      const payload = JSON.parse(JSON.stringify(value)); // ours to keep decoded arrays in
      const body = make("div", "lens-body");
      root.dataset.layout = payload.layout;
      loadImages(payload.images, () => redraw());
      const tell = (event, told) => trigger(event, "x" in told ? { ...told, image: payload.key } : told);
      redraw = window.lensLayouts[payload.layout](body, payload, tell) || (() => {});
      root.replaceChildren(make("p", "lens-intro", payload.intro), body, ...(payload.foot ? [make("p", "lens-foot", payload.foot)] : []));
      root.dataset.serial = payload.serial;
      window.lensRings.draw(root);
      redraw();
    }
    document.addEventListener("lens:display", whenSeen(element, () => redraw()));
    watch("value", render);
    render();
  };
})();
