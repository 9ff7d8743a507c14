/* What is shown as a file to keep. value: {words: by language {title, hint, making, kinds: [[kind, label, hint]]}, said,
   failed, serial, file: {name, type, data (base64)} or null}. A button asks Python with the display settings of this
   browser, trigger("select", {format, display}); the bytes come back in the value and are saved from here, so that no
   file and no path stands on the server. */
(() => {
  const WIDE = "(min-width: 641px)"; // folded below, as the display controls are

  function save({ name, type, data }) {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const link = document.createElement("a"), url = URL.createObjectURL(new Blob([bytes], { type }));
    link.href = url;
    link.download = name;
    link.hidden = true;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60e3); // a slow disk may still be reading
  }

  window.lensMountExports = (element, props, trigger, watch) => {
    const { make } = window.lensParts, words = window.lensSaid(props.value.words);
    const root = element.querySelector(".lens-exports"), fold = make("details"), group = make("div", "group"), said = make("p", "said");
    let saved = props.value.serial, last = null;
    fold.append(make("summary", "", words.title), group);
    fold.open = window.matchMedia(WIDE).matches;
    group.dataset.title = words.title;
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", `${words.title}: ${words.hint}`);
    said.setAttribute("role", "status");
    const busy = (now) => buttons.forEach((button) => button.setAttribute("aria-disabled", String(now)));
    const buttons = words.kinds.map(([kind, label, hint]) => {
      const button = make("button", "", label);
      Object.assign(button, { type: "button", title: hint });
      button.dataset.kind = kind;
      button.setAttribute("aria-label", `${words.title}: ${label}. ${hint}`);
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") === "true") return;
        last = button;
        busy(true);
        said.classList.remove("failed");
        said.textContent = words.making;
        trigger("select", { format: kind, display: window.lensDisplay.all() });
      });
      return button;
    });
    group.append(...buttons, said);
    root.replaceChildren(fold);
    busy(false);
    watch("value", () => {
      const { file, said: told, failed, serial } = props.value;
      busy(false);
      said.textContent = told || "";
      said.classList.toggle("failed", Boolean(failed));
      if (!file || serial === saved) return;
      saved = serial;
      save(file);
      if (last && document.activeElement === document.body) last.focus({ preventScroll: true });
    });
  };
})();
