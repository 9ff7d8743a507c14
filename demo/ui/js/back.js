/* The image stays reachable: on a narrow screen, while it is out of sight, a round thumbnail in the corner brings it
   back. lensBack(photo, src, name) makes the button for the image that has just been built; css/side.css places it. */
(() => {
  let observer = null;

  window.lensBack = (photo, src, name) => {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    button.className = "lens-back";
    button.hidden = true;
    button.title = name;
    button.setAttribute("aria-label", name);
    image.src = src;
    image.alt = "";
    button.append(image);
    button.addEventListener("click", () => {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      photo.focus({ preventScroll: true });
      photo.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "center" });
    });
    observer?.disconnect();
    observer = new IntersectionObserver(([entry]) => { button.hidden = entry.isIntersecting; });
    observer.observe(photo);
    return button;
  };
})();
