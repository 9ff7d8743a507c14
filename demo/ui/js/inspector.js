/* One kernel looked at closely: what it was mixed from (js/mixing.js), what it lets through (js/frequency.js), and one
   output number taken apart (js/products.js). lensInspector(words, size, move) -> {root, show(set, i, held), look()}.
   set: one variant's channels, made by demo/views/kernels.py, decoded. move: hover, leave and click of a position.
   The root's data-… say which kernel, unit and tap are shown, and the numbers of the sum. */
(() => {
  const { make } = window.lensParts, { fill, largest, section } = window.lensBench;

  /* One channel of a variant's payload, as views of its arrays. */
  function channelOf(set, i) {
    const { arrays, groups, units } = set, taps = set.size * set.size, area = units.rows * units.cols;
    const of = (values, length) => values.subarray(i * length, (i + 1) * length);
    const each = (values) => Array.from({ length: groups }, (_, g) => of(values, groups * taps).subarray(g * taps, (g + 1) * taps));
    const kernel = of(arrays.kernels, taps), fixed = of(arrays.static, taps), learned = each(arrays.learned);
    return {
      name: set.names[i], generated: set.generated, groups, size: set.size, units,
      kernel, fixed, learned, gates: each(arrays.gates), heaviest: largest(kernel, fixed, ...learned), // one scale for all weights
      bias: arrays.biases[i], biasLearned: of(arrays.bias_learned, groups), biasGates: of(arrays.bias_gates, groups),
      input: of(arrays.inputs, area), output: of(arrays.outputs, area),
    };
  }

  window.lensInspector = (words, size, move) => {
    const root = make("section", "lens-inspector"), head = make("header"), title = make("h3"), state = make("p");
    const taps = window.lensTaps(size), mixing = window.lensMixing(words, taps), apart = window.lensProducts(words, taps, move);
    const passes = section(words.passes, "passes"), frequency = window.lensFrequency(words);
    head.append(title, state);
    passes.append(frequency.root, make("p", "lens-tap", words.passesNote));
    root.append(head, ...mixing.nodes, passes, apart.root);
    root.setAttribute("aria-label", words.inspector);

    function tell() {
      const tap = taps.tap(), place = fill(words.tap, { row: Math.floor(tap / size) + 1, column: (tap % size) + 1 });
      root.dataset.tap = tap;
      mixing.tell(tap, place);
      apart.tell(tap, place);
    }
    function look() {
      Object.assign(root.dataset, apart.look());
      tell();
    }
    function show(set, i, held) {
      const one = channelOf(set, i);
      title.textContent = one.name;
      state.textContent = `${set.at}. ${held ? words.held : words.hold}`;
      Object.assign(root.dataset, { variant: set.variant, channel: set.channels[i], held });
      mixing.show(one);
      frequency.show(one);
      apart.show(one);
      look();
    }
    taps.onTap(tell);
    return { root, show, look };
  };
})();
