/* What every view is made of: nodes, numbers as text, color bars, headings. */
(() => {
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  /* Three digits that matter, as transxnet.draw.text.number has them, so that a number reads alike wherever it stands. */
  const number = (v) => {
    const size = Math.abs(v);
    if (size === 0) return "0";
    if (size < 1e-4 || size >= 1e6) return v.toExponential(1);
    return size >= 1000 ? Math.round(v).toLocaleString("en-US") : String(Number(v.toPrecision(size < 1e-3 ? 2 : 3)));
  };
  /* A sentence of captions/display.py with its placeholders filled. */
  const phrase = (key, values = {}) => (window.lensDisplay.words[key] || "").replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const lutOf = (scale) => window.lensLuts[window.lensDisplay[scale.signed ? "diverging" : "colormap"] || scale.colormap];
  const toned = (scale, values) => window.lensMaps.toned(scale, window.lensDisplay, values);

  /* What the controls made of a scale, in words: gamma, from where on it is drawn. */
  function settingsOf({ range: [low, high], signed, gamma, threshold }, normalized) {
    const told = gamma === 1 ? [] : [phrase("gamma_is", { gamma })], share = Math.round(100 * threshold);
    const value = signed ? `\u00b1${number(threshold * high)}` : number(low + threshold * (high - low));
    if (threshold) told.push(normalized ? phrase("shown_from_share", { share }) : phrase("shown_from", { value }));
    return told.join(", ");
  }

  /* The colors from low to high, even in values, gray where nothing is drawn, with ticks where drawing begins. */
  function drawStrip(canvas, ticks, scale) {
    const context = canvas.getContext("2d"), image = context.createImageData(256, 1), lut = lutOf(scale);
    const pixel = window.lensMaps.painting({ ...scale, range: scale.signed ? [-1, 1] : [0, 1] }, lut);
    for (let i = 0; i < 256; i++) image.data.set(pixel(scale.signed ? (2 * i) / 255 - 1 : i / 255), 4 * i);
    context.putImageData(image, 0, 0);
    const at = scale.signed ? [(1 - scale.threshold) / 2, (1 + scale.threshold) / 2] : [scale.threshold];
    ticks.forEach((tick, i) => {
      tick.hidden = !scale.threshold || at[i] === undefined;
      tick.style.left = `${100 * at[i]}%`;
    });
  }

  /* The bar of a scale, which follows the controls. values: of one map, whose own bar it is: there if normalized. */
  function barOf(scale, values) {
    const bar = make("div", "lens-colorbar"), strip = make("div", "strip"), canvas = make("canvas"), ends = make("div", "ends");
    const ticks = [make("i"), make("i")], settings = make("div", "settings"), warning = make("div", "warning");
    const shared = make("div", "shared", values ? "" : scale.shared || ""); // by how many variants
    const low = make("span"), units = make("span", "units", scale.root ? phrase("root", scale) : scale.units), high = make("span");
    canvas.width = 256; canvas.height = 1;
    strip.setAttribute("aria-hidden", "true");
    const draw = () => {
      const set = toned(scale, values), normalized = window.lensDisplay.view === "normalized", ownless = normalized && !values;
      bar.hidden = Boolean(values) && !normalized;
      drawStrip(canvas, ticks, set);
      low.textContent = ownless ? phrase("own_low") : number(set.range[0]);
      high.textContent = ownless ? phrase("own_high") : (set.signed ? "+" : "") + number(set.range[1]);
      shared.hidden = normalized;
      settings.textContent = values ? "" : settingsOf(set, normalized);
      warning.textContent = ownless ? phrase("warning") : "";
    };
    strip.append(canvas, ...ticks);
    ends.append(low, units, high);
    bar.append(strip, ends, ...(shared.textContent ? [shared] : []), settings, warning);
    return { bar, draw };
  }

  /* seen(): act() at once if the node is in sight, else once it is: a view behind another tab costs nothing. */
  function whenSeen(node, act) {
    const eye = new ResizeObserver(() => seen()); // from nothing to some size, before that frame is painted
    function seen() {
      if (!node.offsetParent) return eye.observe(node);
      eye.disconnect();
      act();
    }
    return seen;
  }

  /* What it cost and whose weights it has; commit and digest in full for whoever points at it. */
  function subOf(part) {
    const node = make("p", "", part.sub || "");
    if (part.more) node.title = part.more;
    return node;
  }

  /* A heading with its badge and bar; what draws the bar is added to `drawings`. */
  function headOf(head, drawings) {
    const node = make("div", "lens-head");
    node.append(make("h3", "", head.title));
    if (head.badge) node.append(make("span", "lens-badge warn", head.badge));
    node.append(subOf(head));
    if (head.bar) {
      const { bar, draw } = barOf(head.bar);
      node.append(bar);
      drawings.push(draw);
    }
    return node;
  }

  /* Whether a key is meant for what has the focus, and not, as Alt with an arrow, for the browser. */
  const plain = (event) => !event.altKey && !event.ctrlKey && !event.metaKey;

  /* While a panel is drawn again, what had the focus gets it back in its successor, which carries the same data-keep. */
  function keepFocus(body) {
    const key = document.activeElement?.closest(".lens-panel") && document.activeElement.dataset.keep;
    if (!key) return;
    queueMicrotask(() => [...body.querySelectorAll("[data-keep]")].find((node) => node.dataset.keep === key)?.focus({ preventScroll: true }));
  }

  window.lensParts = { make, number, phrase, lutOf, toned, barOf, subOf, headOf, whenSeen, plain, keepFocus };
})();
