/* The architecture as a figure: window.lensArchitecture(root, data, photo, trigger). data: demo/architecture.py.
   photo: a data URL of what the model saw, or none. Wide pages have it from left to right, narrow ones downwards. */
(() => {
  const { make } = window.lensParts, FROM = 900; // pixels from which it goes from left to right
  const TICK = 11, SQUARE = 112;

  /* The image in n x n squares: the mean color of each. */
  function squares(image, n) {
    const canvas = make("canvas");
    canvas.width = canvas.height = n;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, n, n);
    return canvas.toDataURL();
  }

  /* What a stage's box shows under its name: the image in its squares, and a mark a block, halves in their colors. */
  function glyph(pen, box, image, side, across) {
    const row = Math.max(1, Math.floor(across / TICK));
    const marks = box.depth ? Math.ceil(box.depth / row) * 17 : 0;
    return {
      height: side + 6 + marks,
      draw(group, x, y) {
        const frame = { x, y, width: side, height: side };
        pen.add(pen.node("rect", { ...frame, class: "blank" }), group);
        if (image) pen.add(pen.node("image", { ...frame, href: box.grid ? squares(image, box.grid) : image.src, preserveAspectRatio: "none", class: box.grid ? "squares" : "" }), group);
        for (let i = 0; i < (box.depth || 0); i++) {
          const at = { x: x + (i % row) * TICK, width: TICK - 3 }, top = y + side + 7 + 17 * Math.floor(i / row);
          pen.add(pen.node("rect", { ...at, y: top, height: box.halves > 1 ? 6 : 12, class: "local" }), group);
          if (box.halves > 1) pen.add(pen.node("rect", { ...at, y: top + 6, height: 6, class: "global" }), group);
        }
      },
    };
  }

  const pictured = (box) => box.kind === "stage" || box.kind === "image";

  function flowAcross(data, image, width) {
    return (pen) => {
      const gap = 26, fixed = { image: 96, stem: 106, head: 100 };
      const stage = (width - 2 - 302 - gap * (data.flow.length - 1)) / 4;
      const boxes = data.flow.map((box) => {
        const w = fixed[box.kind] || stage, art = pictured(box) && glyph(pen, box, image, Math.min(w - 18, SQUARE), w - 18);
        return { box, w, art, height: pen.measure(box, w, art ? art.height : 0).height };
      });
      const tall = Math.max(...boxes.map((one) => one.height)), top = 20;
      let x = 1;
      boxes.forEach(({ box, w, art, height }, i) => {
        const h = box.kind === "stage" ? tall : height, y = top + (tall - h) / 2;
        pen.box(box, x, y, w, h, { above: art ? art.height : 0, between: art && art.draw });
        if (i + 1 < boxes.length) pen.arrow([x + w + 3, top + tall / 2], [x + w + gap - 3, top + tall / 2]);
        if (i > 1 && i < 5) pen.note(data.steps[i - 2], x + w + gap / 2, 11);
        x += w + gap;
      });
      return top + tall + 2;
    };
  }

  function flowDown(data, image, width) {
    return (pen) => {
      const gap = 24, side = 72;
      let y = 1;
      data.flow.forEach((box, i) => {
        const art = pictured(box), left = art ? side + 10 : 0, words = pen.measure(box, width - 2 - left);
        const ticks = box.depth ? 14 : 0, h = Math.max(words.height + ticks, art ? side + 18 : 0);
        const group = pen.box({ ...box, title: "", lines: [] }, 1, y, width - 2, h);
        let down = y + 22;
        const write = (text, name) => pen.add(pen.node("text", { x: 10 + left, y: down, class: name }, text), group);
        for (const line of words.title) { write(line, "title"); down += 18; }
        if (art) glyph(pen, { ...box, depth: 0 }, image, side, side).draw(group, 10, y + 9);
        for (const line of words.lines) { write(line, "line"); down += 15.5; }
        if (box.depth) glyph(pen, box, null, 0, width - left - 20).draw(group, 10 + left, down - 18);
        if (i + 1 < data.flow.length) pen.arrow([width / 2, y + h + 3], [width / 2, y + h + gap - 3]);
        if (i > 1 && i < 5) pen.note(data.steps[i - 2], width / 2 + 12, y + h + 16, "start");
        y += h + gap;
      });
      return y - gap + 1;
    };
  }

  function blockAcross(block, width) {
    return (pen) => {
      const gap = 15, top = 34, thin = 24, ste = block.join ? 116 : 0, dpe = 104, gn = 40, ffn = 146;
      const branches = [block.local, block.global].filter(Boolean);
      const around = 2 + dpe + gn * 2 + ffn + 18 * 5 + gap * 12 + 34, inside = (block.split ? 2 * (thin + gap) : 0) + (ste ? ste + gap : 0);
      const branch = Math.min(270, width - around - inside);
      const heights = branches.map((one) => pen.measure(one, branch).height);
      const inner = heights.reduce((a, b) => a + b + 10, -10), head = 52, frame = inner + head + 14;
      const middle = top + head + inner / 2, box = (one, x, w, h) => pen.box(one, x, middle - h / 2, w, h, { middle: true });
      const fit = (one, w) => pen.measure(one, w).height;
      let x = 1;
      const go = (to = gap) => { pen.arrow([x, middle], [x + to - 2, middle]); x += to; };
      const round = (from) => { pen.line([from, middle], [from, 12], [x + 9, 12], [x + 9, middle - 9]); };
      const sign = (text) => { pen.sign(text, x + 9, middle); x += 18; };

      let from = x + 6; go(20); box(block.before, x, dpe, fit(block.before, dpe)); x += dpe; go(); round(from); sign("+");
      from = x + 6; go(20); pen.bar(block.norm, x, middle - 22, gn, 44); x += gn; go();
      const left = x, mixer = branch + inside + 28;
      pen.box(block.mixer, left, top, mixer, frame);
      x += 14;
      const start = x;
      if (block.split) { pen.bar(block.split, x, middle - inner / 2, thin, inner, true); x += thin; }
      let y = middle - inner / 2;
      branches.forEach((one, i) => {
        const across = x + (block.split ? gap : 0), cy = y + heights[i] / 2;
        if (block.split) pen.arrow([x, cy], [across - 2, cy]);
        pen.box(one, across, y, branch, heights[i]);
        if (block.concat) pen.arrow([across + branch, cy], [across + branch + gap - 2, cy]);
        y += heights[i] + 10;
      });
      x += branch + (block.split ? 2 * gap : 0);
      if (block.concat) { pen.bar(block.concat, x, middle - inner / 2, thin, inner, true); x += thin; }
      if (block.join) { go(); box(block.join, x, ste, fit(block.join, ste)); x += ste; }
      x = left + mixer; go(); sign("×"); go(); round(from); sign("+");
      from = x + 6; go(20); pen.bar(block.norm, x, middle - 22, gn, 44); x += gn; go();
      box(block.after, x, ffn, fit(block.after, ffn)); x += ffn; go(); sign("×"); go(); round(from); sign("+"); go(20);
      return top + frame + 2;
    };
  }

  function blockDown(block, width) {
    return (pen) => {
      const gap = 18, left = 24, w = width - left - 1, cx = left + w / 2, small = Math.min(w, 250);
      let y = 1;
      const go = (to = gap) => { pen.arrow([cx, y], [cx, y + to - 2]); y += to; };
      const round = (from) => { pen.line([cx, from], [9, from], [9, y + 9], [cx - 9, y + 9]); };
      const sign = (text) => { pen.sign(text, cx, y + 9); y += 18; };
      const box = (one) => { const h = pen.measure(one, small).height; pen.box(one, cx - small / 2, y, small, h, { middle: true }); y += h; };
      const norm = () => { pen.bar(block.norm, cx - 34, y, 68, 26); y += 26; };

      let from = y + 8; go(24); box(block.before); go(); round(from); sign("+");
      from = y + 8; go(24); norm(); go();
      const branches = [block.local, block.global].filter(Boolean), inner = w - 20, branch = (inner - 8 * (branches.length - 1)) / branches.length;
      const tall = Math.max(...branches.map((one) => pen.measure(one, branch).height)), ste = block.join ? pen.measure(block.join, inner).height : 0;
      const head = pen.measure(block.mixer, w).height, frame = head + (block.split ? 2 * (24 + gap) : 0) + tall + (ste ? gap + ste : 0) + 10;
      pen.box(block.mixer, left, y, w, frame);
      y += head;
      const mids = branches.map((_, i) => left + 10 + i * (branch + 8) + branch / 2);
      if (block.split) { pen.bar(block.split, left + 10, y, inner, 24); y += 24; mids.forEach((x) => pen.arrow([x, y], [x, y + gap - 2])); y += gap; }
      branches.forEach((one, i) => pen.box(one, left + 10 + i * (branch + 8), y, branch, tall));
      y += tall;
      if (block.concat) { mids.forEach((x) => pen.arrow([x, y], [x, y + gap - 2])); y += gap; pen.bar(block.concat, left + 10, y, inner, 24); y += 24; }
      if (block.join) { go(); pen.box(block.join, left + 10, y, inner, ste, { middle: true }); y += ste; }
      y += 10;
      go(); sign("×"); go(); round(from); sign("+");
      from = y + 8; go(24); norm(); go(); box(block.after); go(); sign("×"); go(); round(from); sign("+"); go(20);
      return y + 2;
    };
  }

  window.lensArchitecture = (root, data, photo, trigger) => {
    const flow = make("div", "lens-flow"), opened = make("div", "lens-opened"), pick = make("div", "lens-pick"), block = make("div");
    let stage = data.stage, image = null, drawn = 0;
    pick.append(make("span", "", data.opened), ...data.blocks.map((one, i) => {
      const button = make("button", "", one.button);
      button.type = "button";
      button.addEventListener("click", () => { stage = i + 1; draw(); });
      return button;
    }));
    opened.append(pick, block, make("p", "lens-note", data.caption_block));
    root.append(flow, make("p", "lens-note", data.caption), opened);

    function put(where, name, svg) {
      const focused = [...where.querySelectorAll(".lens-box")].indexOf(document.activeElement);
      svg.setAttribute("aria-label", name);
      where.replaceChildren(svg);
      if (focused >= 0) where.querySelectorAll(".lens-box")[focused]?.focus({ preventScroll: true });
    }
    function draw() {
      const width = Math.floor(root.clientWidth);
      if (!width) return;
      const across = width >= FROM, room = across ? width : Math.min(width, 560), one = data.blocks[stage - 1];
      drawn = width;
      put(flow, data.name, window.lensBoxes(room, trigger, (across ? flowAcross : flowDown)(data, image, room)));
      put(block, one.name, window.lensBoxes(room, trigger, (across ? blockAcross : blockDown)(one, room)));
      [...pick.querySelectorAll("button")].forEach((button, i) => button.setAttribute("aria-pressed", String(i + 1 === stage)));
    }
    new ResizeObserver(() => { if (Math.floor(root.clientWidth) !== drawn) draw(); }).observe(root);
    if (photo) {
      const loaded = new Image();
      loaded.onload = () => { image = loaded; draw(); };
      loaded.src = photo;
    }
    draw();
  };
})();
