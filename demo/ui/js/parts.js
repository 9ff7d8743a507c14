/* What every view is made of: nodes, numbers as text, colour bars, headings. */
(() => {
  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const number = (v) => (v === 0 ? "0" : Math.abs(v) >= 0.01 && Math.abs(v) < 1000 ? v.toPrecision(3) : v.toExponential(1));
  const lutOf = (scale) => {
    const chosen = window.lensDisplay.colormap;
    return window.lensLuts[!scale.signed && chosen ? chosen : scale.colormap];
  };

  function barOf(scale) {
    const bar = make("div", "lens-colorbar"), canvas = make("canvas"), ends = make("div", "ends");
    canvas.width = 256; canvas.height = 1;
    canvas.setAttribute("aria-hidden", "true");
    const draw = () => {
      const context = canvas.getContext("2d"), image = context.createImageData(256, 1), lut = lutOf(scale);
      for (let i = 0; i < 256; i++) {
        const share = i / 255; // a root scale puts its colours where its values are
        const t = scale.signed ? 2 * share - 1 : scale.root ? Math.sqrt(share) : share;
        image.data.set([...window.lensMaps.colour(t, { ...scale }, lut), 255], 4 * i);
      }
      context.putImageData(image, 0, 0);
    };
    const [low, high] = scale.range;
    ends.append(make("span", "", number(low)), make("span", "units", scale.units + (scale.root ? ", root scale" : "")), make("span", "", (scale.signed ? "+" : "") + number(high)));
    bar.append(canvas, ends);
    return { bar, draw };
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

  window.lensParts = { make, number, lutOf, barOf, subOf, headOf };
})();
