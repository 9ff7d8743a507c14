/* Where everybody looks, in pixels of the upload: `set` by the crosshair, `hover` while a pointer is somewhere else.
   Listeners of "lens:position" on document read lensPoint.now(): {x, y, hovering}, null before the first image; `fixed`
   is where the crosshair stands, `under` where the pointer is, null where it is nowhere. */
(() => {
  let fixed = null, under = null, waiting = false;
  const tell = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; document.dispatchEvent(new CustomEvent("lens:position")); });
  };
  window.lensPoint = {
    get fixed() { return fixed; },
    get under() { return under; },
    now: () => (under ? { ...under, hovering: true } : fixed && { ...fixed, hovering: false }),
    set: (x, y, hovered = false) => { fixed = { x, y }; if (!hovered) under = null; tell(); }, // an answer ends no hovering
    hover: (x, y) => { under = { x, y }; tell(); },
    leave: () => { if (under) { under = null; tell(); } },
  };
})();
