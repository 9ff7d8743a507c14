/* Of the inspector: one output number taken apart. The channel's map with the square that the kernel lies over; that
   square, times the kernel, 49 products, their sum and the bias; and what the model computed there.
   lensProducts(words, taps, move) -> {root, show(one), look() -> its numbers, tell(tap, place)}. */
(() => {
  const { make, number } = window.lensParts, { fill, short, exact, signed, largest, section } = window.lensBench, A = window.lensArithmetic;

  /* A map with a square on it; a pointer over it looks at the unit below, a click stays there. */
  function mapOf(caption, move) {
    const figure = make("figure", "lens-unitmap"), frame = make("div"), canvas = make("canvas"), mark = make("span");
    canvas.setAttribute("role", "img");
    frame.append(canvas, mark);
    figure.append(make("figcaption", "", caption), frame);
    let units = null;
    const pointUnder = (event) => {
      const box = canvas.getBoundingClientRect(), at = (share, n) => Math.min(Math.max(Math.floor(share * n), 0), n - 1);
      return A.pointOf(units, at((event.clientY - box.top) / box.height, units.rows), at((event.clientX - box.left) / box.width, units.cols));
    };
    canvas.addEventListener("pointermove", (event) => move.hover(pointUnder(event)));
    canvas.addEventListener("pointerleave", move.leave);
    canvas.addEventListener("click", (event) => move.click(pointUnder(event)));

    function show(values, its, scale, name) {
      units = its;
      canvas.setAttribute("aria-label", name);
      frame.style.aspectRatio = `${units.cols} / ${units.rows}`;
      window.lensCells.drawTile(canvas, { rows: units.rows, cols: units.cols, values }, 0, scale);
    }
    function place(row, col, size) {
      const share = (v, n) => `${(100 * v) / n}%`, half = (size - 1) / 2;
      Object.assign(mark.style, {
        left: share(col - half, units.cols), top: share(row - half, units.rows), width: share(size, units.cols), height: share(size, units.rows),
      });
    }
    return { figure, show, place };
  }

  window.lensProducts = (words, taps, move) => {
    const root = section(words.apart, "apart"), where = make("p", "where"), line = make("div", "line"), ends = make("div", "ends");
    const said = make("p", "lens-tap"), sums = make("dl"), scales = make("p", "lens-tap");
    const from = mapOf(words.input, move), to = mapOf(words.output, move);
    const [patch, kernel, products] = [words.patch, words.kernel, words.products].map((caption) => taps.grid(caption));
    const sign = (text) => make("i", "", text);
    line.append(from.figure, sign("→"), patch.figure, sign("×"), kernel.figure, sign("="), products.figure, sign("→"), to.figure);
    ends.append(said, sums);
    root.append(where, line, ends, scales);
    let now = null, high = null, at = null;
    const name = (what, most) => fill(words.named, { what, channel: now.name, high: number(most) });

    function show(one) {
      now = one;
      high = { input: largest(one.input), kernel: one.heaviest, output: largest(one.output) };
      from.show(one.input, one.units, signed(high.input), name(words.input, high.input));
      to.show(one.output, one.units, signed(high.output), name(words.output, high.output));
      kernel.fill(one.kernel, signed(high.kernel), name(words.kernel, high.kernel));
    }

    function look() {
      const position = window.lensPoint.now(), { rows, cols } = now.units;
      if (!position) return {};
      const { row, col } = A.unitAt(now.units, position.x, position.y);
      const given = A.patch(now.input, rows, cols, row, col, now.size), made = A.products(given.values, now.kernel);
      const sum = A.sum(made), mine = sum + now.bias, theirs = now.output[row * cols + col];
      at = { given: given.values, made };
      high.products = largest(made);
      from.place(row, col, now.size);
      to.place(row, col, 1);
      patch.fill(given.values, signed(high.input), name(words.patch, high.input), given.beyond);
      products.fill(made, signed(high.products), name(words.products, high.products), given.beyond);
      where.textContent = fill(position.hovering ? words.underPointer : words.underCrosshair, { row: row + 1, column: col + 1, rows, columns: cols });
      scales.textContent = [fill(words.scales, Object.fromEntries(Object.entries(high).map(([key, v]) => [key, number(v)]))), given.beyond.some(Boolean) ? words.beyond : ""].join(" ");
      scales.hidden = window.lensDisplay.view === "normalized"; // then every grid has a scale of its own
      write(sum, mine, theirs);
      return { row, col, sum, bias: now.bias, mine, output: theirs, hovering: position.hovering };
    }

    function write(sum, mine, theirs) {
      const mixed = Array.from(now.biasGates, (gate, g) => `${(100 * gate).toFixed(1)} % × ${short(now.biasLearned[g])}`).join(" + ");
      const lines = [
        [words.sum, exact(sum)], [now.generated ? words.bias : words.biasLearned, exact(now.bias), now.generated ? `= ${mixed}` : ""], [words.mine, exact(mine)],
        [words.theirs, exact(theirs)], [words.apartBy, short(Math.abs(mine - theirs)), words.rounding],
      ]; // prettier-ignore
      sums.replaceChildren(...lines.flatMap(([what, value, more], i) => {
        const answer = make("dd", i === 2 || i === 3 ? "strong" : "", value);
        if (more) answer.append(make("small", "", more));
        return [make("dt", "", what), answer];
      }));
    }

    function tell(tap, place) {
      const numbers = at && tap >= 0 && { tap: place, input: short(at.given[tap]), weight: short(now.kernel[tap]), product: short(at.made[tap]) };
      said.textContent = numbers ? fill(words.apartTap, numbers) : words.pointApart;
    }
    return { root, show, look, tell };
  };
})();
