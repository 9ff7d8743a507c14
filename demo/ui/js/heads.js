/* Head and direction of the attention view: segmented controls of lensDisplay, in the browser only. And lensSay, which
   tells a screen reader what has settled. */
(() => {
  const { make } = window.lensParts;

  function segments(name, legend, choices, value, choose) {
    const set = make("fieldset", "segments lens-segments"), wrap = make("div", "wrap");
    set.append(make("legend", "lens-label", legend), wrap);
    const inputs = choices.map(([key, text]) => {
      const label = make("label"), input = make("input");
      input.type = "radio";
      input.name = `lens-${name}`;
      input.value = key;
      input.dataset.keep = `${name} ${key}`;
      input.addEventListener("change", () => choose(key));
      label.append(input, make("span", "", text));
      wrap.append(label);
      return input;
    });
    const draw = () => {
      const now = value(choices);
      for (const input of inputs) input.checked = input.value === String(now);
    };
    return { node: set, draw };
  }

  /* words: the payload's. heads: the most that any variant has; a head beyond it shows the mean. */
  window.lensAttentionControls = (words, heads) => {
    const { set } = window.lensDisplay, node = make("div", "lens-attention-controls");
    const numbers = Array.from({ length: heads }, (_, i) => [i + 1, String(i + 1)]);
    const head = segments("head", words.head, [["mean", words.mean], ["max", words.max], ...numbers],
      () => (window.lensDisplay.head > heads ? "mean" : window.lensDisplay.head), (key) => set("head", key));
    const way = segments("direction", words.direction, Object.entries(words.ways),
      () => window.lensDisplay.direction, (key) => set("direction", key));
    node.append(way.node, ...(heads > 1 ? [head.node] : []));
    return { node, draw: () => { head.draw(); way.draw(); } };
  };

  let said = null;
  window.lensSay = (text) => {
    if (!said) {
      said = make("p", "lens-told-aloud");
      said.setAttribute("aria-live", "polite");
      document.body.append(said);
    }
    if (said.textContent !== text) said.textContent = text;
  };
})();
