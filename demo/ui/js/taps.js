/* Grids of k x k squares that belong together: the same tap lights up in all of them. taps(k) makes such a family:
   grid(caption, big) -> {figure, fill}; onTap(listener) hears which tap is looked at. A big grid prints its numbers and
   takes the keyboard: arrow keys move the tap. */
(() => {
  const { make, lutOf, toned } = window.lensParts, { minus } = window.lensBench;

  /* One number of digits for all of a grid: three that matter in its largest. */
  function digitsOf(values) {
    const largest = Math.max(...values.map(Math.abs));
    return largest > 0 ? Math.min(Math.max(2 - Math.floor(Math.log10(largest)), 0), 6) : 0;
  }
  /* Black or white, whichever stands out more from a color (WCAG's relative luminance): 4.5 to 1 or better. */
  function inkOn(color) {
    const [r, g, b] = color.map((v) => (v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
  }

  window.lensTaps = (k) => {
    const grids = [], listeners = [];
    let tap = -1;

    function move(to) {
      tap = to;
      for (const squares of grids) squares.forEach((square, i) => square.classList.toggle("at", i === tap));
      listeners.forEach((listener) => listener(tap));
    }

    function grid(caption, big = false) {
      const figure = make("figure", "lens-taps" + (big ? " big" : "")), head = make("figcaption", "", caption);
      const node = make("div"), squares = Array.from({ length: k * k }, () => make("span"));
      node.style.setProperty("--taps", k);
      node.setAttribute("role", "img");
      node.append(...squares);
      figure.append(head, node);
      grids.push(squares);
      node.addEventListener("pointerover", (event) => {
        const i = squares.indexOf(event.target);
        if (i >= 0) move(i);
      });
      node.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") move(-1); });
      if (big) listen(node);

      /* beyond: 1 where a square lies outside the map. name: what a screen reader says. */
      function fill(values, scale, name, beyond) {
        const pixel = window.lensMaps.painting(toned(scale, values), lutOf(scale)), digits = big ? digitsOf(Array.from(values)) : 0;
        node.setAttribute("aria-label", name);
        node.values = values; // what is shown, for who asks the page
        squares.forEach((square, i) => {
          const [r, g, b, drawn] = pixel(values[i]); // not drawn: below the display's threshold
          square.style.backgroundColor = drawn ? `rgb(${r}, ${g}, ${b})` : "";
          square.classList.toggle("beyond", Boolean(beyond && beyond[i]));
          if (!big) return;
          square.textContent = minus(values[i].toFixed(digits));
          square.style.color = drawn ? inkOn([r, g, b]) : "";
        });
      }
      return { figure, head, fill };
    }

    function listen(node) {
      node.tabIndex = 0;
      node.dataset.keep = "taps";
      node.addEventListener("keydown", (event) => {
        if (!window.lensParts.plain(event)) return;
        const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!step) return;
        event.preventDefault();
        const from = tap < 0 ? [(k - 1) / 2, (k - 1) / 2] : [Math.floor(tap / k) + step[0], (tap % k) + step[1]];
        const [row, col] = from.map((v) => Math.min(Math.max(v, 0), k - 1));
        move(row * k + col);
      });
      node.addEventListener("blur", () => move(-1));
    }

    return { grid, onTap: (listener) => listeners.push(listener), tap: () => tap };
  };
})();
