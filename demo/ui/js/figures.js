/* Figures below a view. value: {serial, figures: [{name, title, caption, alt, src?, size?, table?, limits}], status,
   words: {numbers, table, image, save, save_table}} or,
   while they are on their way, {keep, status: {text, share?, amount?, label?}}; made by demo/figures.py.
   Images and tables scroll sideways inside their own box, which the keyboard reaches. */
(() => {
  const { make } = window.lensParts;

  function scroller(child, label) {
    const box = make("div", "lens-scroll");
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", label);
    box.append(child);
    return box;
  }

  function tableOf(table, label) {
    const node = make("table"), head = make("tr");
    table.head.forEach((text) => { const cell = make("th", "", text); cell.scope = "col"; head.append(cell); });
    const top = make("thead"), body = make("tbody");
    top.append(head);
    for (const row of table.rows) {
      const line = make("tr");
      row.forEach((text, i) => { const cell = make(i ? "td" : "th", "", text.replaceAll(" \u00b1 ", "\u00a0\u00b1\u00a0")); if (!i) cell.scope = "row"; line.append(cell); });
      body.append(line);
    }
    node.append(top, body);
    return scroller(node, label);
  }

  const csvOf = ({ head, rows }) => [head, ...rows].map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(",")).join("\r\n");

  /* To keep: the image as it stands, which tells inside where it is from, and its numbers. */
  function savesOf(figure, words) {
    const line = make("p", "lens-saves");
    const link = (text, href, kind) => {
      const one = make("a", "", text);
      Object.assign(one, { href, download: `transxnet-lens-${figure.name}.${kind}` });
      one.setAttribute("aria-label", `${text}: ${figure.title}`);
      line.append(one);
    };
    if (figure.src) link(words.save, figure.src, "png");
    if (figure.table) link(words.save_table, `data:text/csv;charset=utf-8,${encodeURIComponent(`\ufeff${csvOf(figure.table)}`)}`, "csv");
    return line;
  }

  function figureOf(figure, words) {
    const named = (text) => text.replace("{title}", () => figure.title);
    const node = make("figure", "lens-figure");
    node.dataset.name = figure.name;
    node.append(make("h3", "", figure.title));
    if (figure.src) {
      const image = make("img");
      [image.width, image.height] = figure.size;
      image.alt = figure.alt;
      image.src = figure.src;
      node.append(scroller(image, named(words.image)));
    }
    const caption = make("figcaption");
    caption.append(make("p", "", figure.caption));
    node.append(caption);
    if (figure.table && figure.src) {
      const details = make("details");
      details.append(make("summary", "", words.numbers), tableOf(figure.table, named(words.table)));
      node.append(details);
    } else if (figure.table) node.append(tableOf(figure.table, named(words.table))); // only the table speaks
    if (figure.limits) node.append(make("p", "lens-limits", figure.limits));
    node.append(savesOf(figure, words));
    return node;
  }

  function statusOf(status) {
    const box = window.lensPending({ ...status, variant: "" });
    box.classList.add("lens-figures-status");
    return box;
  }

  /* What is on its way: in the same box while that can be, so that its button stays where a hand may be. */
  function tell(root, status) {
    const last = root.querySelector(":scope > .lens-skeleton");
    if (last && status && !status.again) return window.lensPending.fill(last, status);
    root.querySelector(":scope > .lens-figures-status")?.remove();
    if (status) root.prepend(statusOf(status));
  }

  window.lensMountFigures = (element, props, trigger, watch) => {
    function draw() {
      const root = element.querySelector(".lens-figures"), value = props.value;
      if (!value) return;
      const last = root.querySelectorAll(":scope > .lens-figure");
      if (value.figures || !value.keep) last.forEach((figure) => figure.remove());
      if (value.figures) {
        root.append(...value.figures.map((figure) => figureOf(figure, value.words)));
        root.dataset.serial = value.serial;
      }
      tell(root, value.status);
      root.classList.toggle("stale", !value.figures && value.keep && last.length > 0);
    }
    watch("value", draw);
    draw();
  };
})();
