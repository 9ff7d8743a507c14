/* Of the inspector: how a kernel was made. The kernel with its numbers; the learned kernels times the gates that mix them;
   what equal shares would give, and the difference. lensMixing(words, taps) -> {nodes, show(one), tell(tap, place)}, one:
   a channel as js/inspector.js makes it, place: the tap in words. */
(() => {
  const { make, number } = window.lensParts, { fill, short, signed, section, barInto } = window.lensBench;

  window.lensMixing = (words, taps) => {
    const large = section("", "made"), mix = section("", "mix"), said = make("p", "lens-tap");
    const kernel = taps.grid("", true), weightBar = make("div"), gateBar = make("div"), pairs = make("div", "pairs");
    const still = taps.grid(words.static), change = taps.grid(words.difference), beside = make("div", "pair beside");
    const groups = Array.from({ length: words.most }, (_, g) => {
      const learned = taps.grid(fill(words.learned, { group: g + 1 })), gates = taps.grid(fill(words.gates, { group: g + 1 })), pair = make("div", "pair");
      pair.append(learned.figure, make("i", "", "×"), gates.figure);
      pairs.append(pair);
      return { learned, gates, pair };
    });
    kernel.head.remove();
    large.append(kernel.figure, weightBar, said);
    beside.append(still.figure, make("i"), change.figure);
    mix.append(pairs, gateBar, beside);
    let now = null;

    function show(one) {
      now = one;
      const high = one.heaviest, scale = signed(high, words.weight);
      const share = { range: [0, 1], signed: false, root: false, units: words.gate, colormap: "viridis" };
      const name = (what) => fill(words.named, { what, channel: one.name, high: number(high) });
      large.firstChild.textContent = one.generated ? words.generated : words.learnedTitle;
      mix.firstChild.textContent = fill(words.mixed, { groups: one.groups });
      kernel.fill(one.kernel, scale, fill(words.numbers, { channel: one.name, numbers: Array.from(one.kernel, number).join(" ") }));
      barInto(weightBar, scale);
      mix.hidden = !one.generated;
      pairs.classList.toggle("many", one.groups > 2);
      if (!one.generated) return;
      groups.forEach(({ learned, gates, pair }, g) => {
        pair.hidden = g >= one.groups;
        if (pair.hidden) return;
        learned.fill(one.learned[g], scale, name(learned.head.textContent));
        gates.fill(one.gates[g], share, fill(words.namedGate, { what: gates.head.textContent, channel: one.name }));
      });
      barInto(gateBar, share);
      still.fill(one.fixed, scale, name(words.static));
      change.fill(one.kernel.map((v, i) => v - one.fixed[i]), scale, name(words.difference));
    }

    function tell(tap, place) {
      said.setAttribute("aria-live", large.contains(document.activeElement) ? "polite" : "off"); // a pointer is not read to
      if (!now.generated || tap < 0) {
        said.textContent = now.generated ? words.pointMix : words.notGenerated;
        return;
      }
      const terms = now.learned.map((values, g) => `${(100 * now.gates[g][tap]).toFixed(1)} % × ${short(values[tap])}`).join(" + ");
      said.textContent = fill(words.mixTap, { tap: place, terms, value: short(now.kernel[tap]), static: short(now.fixed[tap]) });
    }
    return { nodes: [large, mix], show, tell };
  };
})();
