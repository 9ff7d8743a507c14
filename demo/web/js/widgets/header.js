/** The header's "Cite": copies the BibTeX entry, and leaves it selected where the browser does not let it. */
document.addEventListener("click", async ({ target }) => {
  const button = target.closest?.(".lens-cite button");
  if (!button) return;
  const entry = button.parentNode.querySelector("pre");
  getSelection().selectAllChildren(entry);
  const isCopied = await navigator.clipboard?.writeText(entry.textContent).then(() => true, () => false);
  button.nextElementSibling.textContent = isCopied ? button.dataset.copied : button.dataset.selected;
});
