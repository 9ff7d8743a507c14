/* The one image with the one crosshair. value: {src, key, size: [w, h], point: [x, y], crops: [{name, box}], alt, role, note,
   back}. Pointer, touch and arrow keys move the position; letting go sends it: trigger("select", {x, y, image}), upload
   pixels of the image of that key. */
(() => {
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

  window.lensMountCrosshair = (element, props, trigger, watch) => {
    const root = element.querySelector(".lens-crosshair");
    let position = null, held = null, later = 0, shown = ""; // held: the pointer that drags

    function draw() {
      const value = props.value;
      if (!value || !value.src) return;
      if (value.src !== shown) build(value); // a new position on the same image leaves focus and a drag alone
      shown = value.src;
      const photo = root.querySelector(".lens-photo");
      photo.setAttribute("aria-label", value.alt);
      photo.setAttribute("aria-roledescription", value.role);
      root.querySelector("svg").innerHTML = value.crops
        .map((c) => `<rect x="${c.box[0]}" y="${c.box[1]}" width="${c.box[2] - c.box[0]}" height="${c.box[3] - c.box[1]}" vector-effect="non-scaling-stroke"><title></title></rect>`)
        .join("");
      root.querySelectorAll("title").forEach((title, i) => (title.textContent = value.crops[i].name));
      root.querySelector(".lens-note").textContent = value.note;
      if (held !== null || later) return; // on its way to a newer one
      position = value.position;
      window.lensPoint.set(...position, true);
      place();
    }

    function build(value) {
      const [w, h] = value.size;
      root.innerHTML = `<div class="lens-photo" tabindex="0" role="application">
        <img draggable="false"><svg viewBox="0 0 ${w} ${h}" preserveAspectRatio="none" aria-hidden="true"></svg>
        <span class="lens-ring" aria-hidden="true"></span></div><p class="lens-note"></p>`;
      const photo = root.querySelector(".lens-photo"), image = root.querySelector("img");
      photo.style.aspectRatio = `${w} / ${h}`;
      photo.dataset.box = JSON.stringify([0, 0, w, h]);
      image.src = value.src;
      image.alt = "";
      held = null;
      clearTimeout(later); // a key press on the image before
      later = 0;
      photo.style.setProperty("--ratio", w / h);
      photo.after(window.lensBack(photo, value.src, value.back));
      listen(photo, w, h);
    }

    function place() {
      const [w, h] = props.value.size, ring = root.querySelector(".lens-ring");
      ring.style.left = `${(100 * (position[0] + 0.5)) / w}%`;
      ring.style.top = `${(100 * (position[1] + 0.5)) / h}%`;
    }

    function listen(photo, w, h) {
      const at = (event) => {
        const box = photo.getBoundingClientRect();
        return [
          Math.round(clamp(((event.clientX - box.left) / box.width) * w - 0.5, 0, w - 1)),
          Math.round(clamp(((event.clientY - box.top) / box.height) * h - 0.5, 0, h - 1)),
        ];
      };
      const send = () => { window.lensPoint.set(...position); trigger("select", { x: position[0], y: position[1], image: props.value.key }); };
      photo.addEventListener("pointerdown", (event) => {
        if (!event.isPrimary || event.button) return; // a second finger, another button
        held = event.pointerId;
        photo.setPointerCapture(event.pointerId);
        position = at(event);
        place();
      });
      photo.addEventListener("pointermove", (event) => {
        if (held !== null && held !== event.pointerId) return; // a second finger
        const under = at(event);
        window.lensPoint.hover(...under);
        if (held !== null) { position = under; place(); }
      });
      photo.addEventListener("pointerleave", () => { if (held === null) window.lensPoint.leave(); });
      const mine = (event) => held === event.pointerId;
      photo.addEventListener("pointerup", (event) => { if (mine(event)) { held = null; send(); } });
      for (const end of ["pointercancel", "lostpointercapture"]) photo.addEventListener(end, (event) => { if (mine(event)) held = null; });
      photo.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step || !window.lensParts.plain(event)) return;
        event.preventDefault();
        const far = Math.max(1, Math.round(Math.max(w, h) / (event.shiftKey ? 8 : 40)));
        position = [clamp(position[0] + step[0] * far, 0, w - 1), clamp(position[1] + step[1] * far, 0, h - 1)];
        place();
        window.lensPoint.set(...position);
        clearTimeout(later);
        later = setTimeout(() => { later = 0; send(); }, 250); // one request for a run of key presses
      });
    }

    watch("value", draw);
    draw();
  };
})();
