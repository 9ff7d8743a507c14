/* What if: switches, a photo to paint on, and every variant's answers before and after. Payload: demo/views/ablation.py.
   Toggling sends {change: {edits: […]}}, painting {change: {mask}}, the fill {change: {fill}}, the button at the foot
   {change: {every: true}}. Nodes that people hold on to (the canvas, what was said) outlive a redrawing. */
(() => {
  const { make } = window.lensParts, { imageOf } = window.lensCells;
  const GRACE = 3000; // ms in which an answer about older switches does not flip newer ones back
  let send = () => {}, brush = null, edits = [], sent = null, since = 0;
  const chosen = {}; // switch -> where it will hold, "3.0", as long as it is not on

  function ask(changed) {
    edits = changed;
    sent = JSON.stringify(changed);
    since = performance.now();
    send({ edits: changed });
  }

  /* ---- switches ---- */

  const scopeOf = (key) => (key.split("@")[1] || "0.0");
  const mine = (name) => edits.filter((key) => key.split(/[:@]/)[0] === name);

  function whereOf(row, payload) {
    const select = make("select"), on = mine(row.name)[0];
    const scopes = [...payload.scopes], own = payload.on.find((one) => one.key === on);
    if (own && !scopes.some((one) => one.value === own.scope.value)) scopes.push(own.scope); // chosen at another stage
    for (const scope of scopes) select.append(new Option(scope.words, scope.value));
    const fallback = row.heads && scopes[1] ? scopes[1].value : scopes[0].value;
    const wanted = on ? scopeOf(on) : chosen[row.name];
    select.value = scopes.some((one) => one.value === wanted) ? wanted : fallback;
    select.dataset.focus = `where-${row.name}`;
    select.setAttribute("aria-label", payload.words.where.replace("{words}", row.title));
    select.addEventListener("change", () => {
      chosen[row.name] = select.value;
      if (mine(row.name).length) ask(edits.map((key) => (mine(row.name).includes(key) ? `${key.split("@")[0]}@${select.value}` : key)));
    });
    return select;
  }

  function toggle(words, name, key, label) {
    const off = edits.includes(key), one = make("button", "lens-switch", words);
    one.type = "button";
    one.dataset.focus = name;
    one.setAttribute("role", "switch");
    one.setAttribute("aria-checked", String(!off)); // on: the part works
    one.setAttribute("aria-label", label);
    one.addEventListener("click", () => ask(edits.includes(key) ? edits.filter((other) => other !== key) : [...edits, key]));
    return one;
  }

  function rowOf(row, payload) {
    const item = make("li"), words = make("div", "what"), where = whereOf(row, payload), scope = where.value;
    words.append(make("b", "", row.title), make("span", "", row.hint));
    const acts = make("div", "lens-heads-off");
    if (row.heads) {
      const most = payload.scopes.find((one) => one.value === scope)?.heads ?? Math.max(0, ...payload.scopes.map((one) => one.heads));
      for (let head = 1; head <= most; head++)
        acts.append(toggle(String(head), `head-${head}`, `${row.name}:${head}@${scope}`, payload.words.head.replace("{head}", head)));
    } else {
      const off = mine(row.name).length > 0, key = mine(row.name)[0] || `${row.name}@${scope}`;
      acts.append(toggle(off ? payload.words.off : payload.words.on, `switch-${row.name}`, key, row.title));
    }
    item.classList.toggle("off", mine(row.name).length > 0);
    item.dataset.switch = row.name;
    item.append(words, where, acts);
    if (row.heads) where.addEventListener("change", () => { // other heads stand there
      const next = rowOf(row, payload);
      item.replaceWith(next);
      next.querySelector("select").focus({ preventScroll: true });
    });
    return item;
  }

  function switchesOf(payload) {
    const section = make("section", "lens-switches"), list = make("ul"), restore = make("button", "lens-restore", payload.words.restore);
    const [title, hint] = payload.words.switches;
    list.append(...payload.switches.map((row) => rowOf(row, payload)));
    restore.type = "button";
    restore.dataset.focus = "restore";
    restore.disabled = !edits.length;
    restore.addEventListener("click", () => ask([]));
    section.append(make("h3", "", title), make("p", "", hint), list, restore);
    return section;
  }

  /* ---- answers ---- */

  function barsOf(cell) {
    const list = make("ol", "lens-pairs");
    list.setAttribute("aria-label", cell.alt);
    for (const row of cell.rows) {
      const item = make("li"), track = make("div", "track");
      Object.assign(item.dataset, { index: row.index, before: row.before, after: row.after, logitBefore: row.logits[0], logitAfter: row.logits[1] });
      item.classList.toggle("chosen", row.index === cell.explained);
      track.setAttribute("aria-hidden", "true");
      for (const name of ["before", "after"]) {
        const bar = make("i", name);
        bar.style.width = `${Math.max(0.5, 100 * row[name])}%`;
        track.append(bar);
      }
      item.append(make("span", "label", row.label), make("span", "shares", row.shares), track, make("span", "logit", row.logit));
      list.append(item);
    }
    return list;
  }

  function columnOf(column, payload) {
    const section = make("section", "lens-tried"), { cell } = column;
    section.append(window.lensParts.headOf(column, []));
    if (cell.kind !== "ablation") {
      section.append(window.lensCells.cellOf(cell, null, payload.images, () => {}, []));
      return section;
    }
    section.dataset.variant = cell.variant;
    section.append(barsOf(cell), ...cell.lines.map((line) => make("p", "lens-line", line)));
    if (cell.view) {
      const figure = make("figure"), image = make("img");
      image.src = cell.view;
      image.alt = cell.given;
      figure.append(image, make("figcaption", "", cell.given));
      section.append(figure);
    }
    return section;
  }

  function saidOf(payload) {
    const box = make("div", "lens-outcome"), told = payload.columns.map((column) => column.cell).filter((cell) => cell.kind === "ablation");
    box.setAttribute("role", "status");
    if (told.length && !told.some((cell) => cell.changed)) box.append(make("p", "", payload.words.nothing));
    else box.append(...told.map((cell) => make("p", "", cell.said)));
    return box;
  }

  function everyOf(payload) {
    const foot = make("div", "lens-every"), button = make("button", "", payload.words.every);
    button.type = "button";
    button.dataset.focus = "every";
    button.addEventListener("click", () => send({ every: true }));
    foot.append(button, make("span", "", payload.words.every_hint));
    return foot;
  }

  window.lensLayouts.ablation = (body, payload, trigger) => {
    send = (change) => trigger("select", { change });
    brush = brush || window.lensBrush((change) => send(change));
    if (sent === JSON.stringify(payload.edits) || performance.now() - since > GRACE) sent = null;
    if (sent === null) edits = payload.edits;
    const focused = document.activeElement?.dataset?.focus, here = document.activeElement?.closest?.(".lens-ablation");
    const ablation = make("div", "lens-ablation"), columns = make("div", "lens-tried-all");
    columns.append(...payload.columns.map((column) => columnOf(column, payload)));
    columns.style.setProperty("--columns", payload.columns.length);
    ablation.append(switchesOf(payload), ...(payload.painting ? [brush.node] : []), saidOf(payload), columns);
    body.append(ablation, everyOf(payload));
    let first = true;
    return () => {
      if (payload.painting) brush.show(payload.painting, imageOf(payload.images[payload.painting.image]));
      if (first && focused && here) body.querySelector(`[data-focus="${focused}"]`)?.focus({ preventScroll: true }); // as it was
      first = false;
    };
  };
})();
