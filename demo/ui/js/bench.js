/* What the parts of the inspector share: sentences with places to fill, numbers, signed scales, headed sections. */
(() => {
  const { make, number, barOf } = window.lensParts;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const minus = (text) => text.replace(/-/g, "−");
  const largest = (...arrays) => Math.max(...arrays.map((values) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)));

  function section(title, className) {
    const node = make("section", className);
    node.append(make("h4", "", title));
    return node;
  }
  function barInto(place, scale) {
    const { bar, draw } = barOf(scale);
    place.replaceChildren(bar);
    draw();
  }
  window.lensBench = {
    fill, minus, largest, section, barInto,
    short: (v) => minus(number(v)),
    exact: (v) => minus(v.toFixed(6)),
    signed: (high, units = "") => ({ range: [-high, high], signed: true, root: false, units, colormap: "RdBu_r" }),
  };
})();
