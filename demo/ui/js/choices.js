/* A few choices as buttons of which one is pressed: lensChoices(label, [[key, text]], now, choose). now() is the key that
   is pressed; choose(key) is told, then the buttons follow. Used where the choice stays in the browser. */
(() => {
  const { make } = window.lensParts;

  window.lensChoices = (label, choices, now, choose) => {
    const group = make("div", "lens-choices"), follow = () => {
      for (const button of group.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.key === now()));
    };
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    group.append(make("span", "lens-choices-label", label));
    for (const [key, text] of choices) {
      const button = make("button", "", text);
      button.type = "button";
      button.dataset.key = key;
      button.dataset.keep = `${label}/${key}`;
      button.addEventListener("click", () => { choose(key); follow(); });
      group.append(button);
    }
    follow();
    return group;
  };
})();
