/* The kernels' view: the columns of js/panel.js, whose tiles can be pointed at, tapped or walked through with the arrow
   keys; below the first row stands the inspector of the kernel that was looked at last. A press holds it, Escape or a
   second press lets it go. payload.inspected: what js/inspector.js shows of each column, null where there is nothing;
   payload.coming: the variants whose columns are on their way. */
(() => {
  const { plain, keepFocus } = window.lensParts;
  const kept = { variant: "", channel: -1, held: false }; // outlives a payload: a new position keeps the kernel
  let look = () => {}; // follows the position, as the inspector that was made last

  /* The tiles of every column, row by row: [column][row][tile]; only the first row's are buttons. */
  function tilesOf(body, columns) {
    const rows = [...body.querySelectorAll(".lens-row")].map((row) => [...row.querySelectorAll(".lens-cell")]);
    return columns.map((_, i) => rows.map((cells) => [...(cells[i]?.querySelectorAll(".lens-tile") || [])]));
  }

  function decoded(column) {
    const entries = Object.entries(column.base64).map(([name, text]) => [name, window.lensMaps.decode(text)]);
    return { ...column, arrays: Object.fromEntries(entries) };
  }

  /* Arrow keys: sideways one on, up and down to the line above and below. */
  function neighbor(tiles, i, key) {
    const line = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const to = { ArrowLeft: i - 1, ArrowRight: i + 1, ArrowUp: i - line, ArrowDown: i + line, Home: 0, End: tiles.length - 1 }[key];
    return to === undefined ? -1 : to < 0 || to >= tiles.length ? i : to;
  }

  function mount(body, payload, trigger) {
    const columns = payload.inspected.map((column) => column && decoded(column)), tiles = tilesOf(body, columns);
    const first = columns.findIndex(Boolean);
    if (first < 0) return () => {};
    const move = {
      hover: ({ x, y }) => window.lensPoint.hover(x, y),
      leave: () => window.lensPoint.leave(),
      click: ({ x, y }) => trigger("select", { x, y }),
    };
    const most = Math.max(...columns.map((column) => column?.groups || 0));
    const inspector = window.lensInspector({ ...payload.words, most }, columns[first].size, move);
    body.querySelector(".lens-row").after(inspector.root);

    let at = kept; // what is shown: another one while the kept one's column is on its way
    function show() {
      const c = columns.findIndex((column) => column?.variant === at.variant), i = columns[c].channels.indexOf(at.channel);
      tiles.forEach((rows, column) => rows.forEach((row, r) => row.forEach((tile, j) => {
        const here = column === c && j === i;
        tile.classList.toggle("here", here);
        if (r > 0) return;
        tile.setAttribute("aria-pressed", here && at.held);
        tile.tabIndex = column === c ? (here ? 0 : -1) : j ? -1 : 0; // one stop a column
      })));
      inspector.show(columns[c], i, at.held);
    }
    const shown = (column, i) => at.variant === columns[column].variant && at.channel === columns[column].channels[i];
    function keep(column, i, held) {
      at = Object.assign(kept, { variant: columns[column].variant, channel: columns[column].channels[i], held });
      show();
    }
    const glance = (column, i) => { if (!kept.held && !shown(column, i)) keep(column, i, false); };
    const press = (column, i) => keep(column, i, !(at.held && shown(column, i)));

    tiles.forEach((rows, column) => columns[column] && rows.forEach((row, r) => row.forEach((tile, i) => {
      tile.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") glance(column, i); });
      tile.addEventListener("click", () => press(column, i));
      if (r > 0) return;
      tile.parentNode.setAttribute("role", "group");
      tile.setAttribute("role", "button");
      tile.setAttribute("aria-label", columns[column].names[i]);
      tile.dataset.keep = `tile ${columns[column].variant} ${columns[column].channels[i]}`;
      tile.addEventListener("focus", () => glance(column, i));
      tile.addEventListener("keydown", (event) => {
        if (!plain(event)) return;
        const to = neighbor(row, i, event.key);
        if (to < 0 && event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        if (to < 0) press(column, i);
        else row[to].focus();
      });
    })));
    body.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !kept.held) return;
      kept.held = false;
      show();
    });

    const still = columns.find((column) => column?.variant === kept.variant) || columns[first];
    if (still.variant !== kept.variant || !still.channels.includes(kept.channel)) {
      const instead = { variant: still.variant, channel: still.channels[0], held: false };
      at = payload.coming.includes(kept.variant) ? instead : Object.assign(kept, instead);
    }
    look = window.lensParts.whenSeen(inspector.root, inspector.look);
    return show;
  }

  window.lensLayouts.kernels = (body, payload, trigger) => {
    const redraw = window.lensLayouts.columns(body, payload, trigger);
    body.dataset.columns = payload.heads.length;
    const show = mount(body, payload, trigger);
    keepFocus(body);
    return () => { redraw(); show(); };
  };
  document.addEventListener("lens:position", () => look());
})();
