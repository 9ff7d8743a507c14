/* The guided tour: its own page (layout "tour", demo/views/tour.py), and the bar above the views while a step is active
   (window.lensMountTour, value: demo/tour.py's bar). A step is asked for by its number: trigger("select", {go: {tour}}). */
(() => {
  const { make } = window.lensParts;

  /* A button or a link that goes to a state; a link can also be opened in another tab. */
  function goer(tag, className, { text, go, href }, trigger) {
    const node = make(tag, className, text);
    if (tag === "button") node.type = "button";
    else node.href = href;
    node.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      trigger("select", { go });
    });
    return node;
  }

  window.lensLayouts.tour = (body, payload, trigger) => {
    const { tour, architecture } = payload, start = make("div", "lens-start"), list = make("ol", "lens-steps"), figure = make("div", "lens-architecture");
    start.append(goer("button", "lens-go first", tour.start, trigger), make("p", "", tour.how));
    list.append(...tour.steps.map((step) => {
      const item = make("li");
      item.append(goer("a", "", { text: step.title, go: step.go, href: step.href }, trigger), make("span", "", step.view));
      return item;
    }));
    body.append(start, ...(payload.note ? [make("p", "lens-note", payload.note)] : []), figure, make("h3", "", tour.title), list);
    window.lensArchitecture(figure, architecture, payload.images[payload.photo]?.src, trigger);
  };

  window.lensMountTour = (element, props, trigger, watch) => {
    let shown = "", before = 0;

    function draw() {
      const value = props.value || {}, step = value.step || 0, root = element.querySelector(".lens-tour");
      const text = JSON.stringify([step, value.title, value.words]); // not all of it: into what is sent twice Gradio puts marks
      if (text === shown) return;
      shown = text;
      root.hidden = !step;
      document.documentElement.classList.toggle("lens-touring", Boolean(step));
      if (!step) {
        root.replaceChildren();
        if (before) document.querySelector("#views [role=tab][aria-selected=true]")?.focus({ preventScroll: true });
      } else build(root, value);
      if (step && step !== before) arrive(root);
      before = step;
    }

    function build(root, value) {
      root.setAttribute("role", "region");
      root.setAttribute("aria-label", value.name);
      root.dataset.step = value.step;
      const head = make("header"), title = make("h2", "", value.title), dots = make("div", "lens-dots");
      title.tabIndex = -1;
      dots.setAttribute("aria-hidden", "true");
      for (let i = 1; i <= value.of; i++) dots.append(make("i", i <= value.step ? "done" : ""));
      head.append(make("p", "lens-count", value.count), dots, goer("button", "lens-plain leave", value.leave, trigger), title);
      const words = make("div", "lens-tour-words"), fold = make("button", "lens-plain fold", value.more);
      words.setAttribute("aria-live", "polite");
      words.append(...value.words.map((text) => make("p", "", text)), make("p", "source", value.source));
      fold.type = "button"; // on a phone, where the words would hide what they are about
      const show = (open) => { words.classList.toggle("folded", !open); fold.setAttribute("aria-expanded", String(open)); };
      fold.addEventListener("click", () => show(words.classList.contains("folded")));
      show(true);
      const foot = make("footer");
      foot.append(...[["back", value.back], ["next first", value.next], ["again", value.again]].filter(([, one]) => one)
        .map(([name, one]) => goer("button", name === "again" ? "lens-plain again" : `lens-go ${name}`, one, trigger)));
      root.replaceChildren(head, fold, words, foot);
    }

    /* A new step is read from its heading on; on a phone its view comes up, as the bar stands below it. */
    function arrive(root) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches, phone = matchMedia("(max-width: 640px)").matches;
      root.querySelector("h2").focus({ preventScroll: true });
      (phone ? document.querySelector("#views") : root).scrollIntoView({ behavior: still ? "auto" : "smooth", block: phone ? "start" : "nearest" });
    }
    watch("value", draw);
    draw();
  };
})();
