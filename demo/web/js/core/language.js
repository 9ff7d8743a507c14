/** The language of the page. The chip in the header opens the same address in another language; its tooltip says what that
    would lose. */

/** Of texts that came in every language, those of this page. */
export const inPageLanguage = (byCode) => byCode[document.documentElement.lang.slice(0, 2)] || byCode.en;

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.(".lens-language")) return;
  const address = new URL(location.href);
  address.searchParams.set("lang", target.value);
  location.assign(address);
});

for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, ({ target }) => {
  if (!target.matches?.(".lens-language")) return;
  const upload = document.querySelector(".lens-link .lens-note")?.textContent; // says that an image is in no link
  target.title = upload ? target.dataset.upload : target.dataset.hint;
});
