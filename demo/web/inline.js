// An inline script, the first of the page: others may not arrive. PAGE_LANGUAGE and NOTICE are filled in by __init__.py.
{
  Object.defineProperty(navigator, "language", { get: () => PAGE_LANGUAGE, configurable: true });
  const { pathname, search, hash } = location;
  // The page's addresses are relative to its folder, also where a proxy serves it without the slash.
  if (!pathname.endsWith("/")) history.replaceState(history.state, "", `${pathname}/${search}${hash}`);
  const folder = new URL("./", location).href;
  const report = ({ target }) => {
    const address = target.href || target.src || "";
    if (pathname === "/" || !/^(LINK|SCRIPT)$/.test(target.nodeName) || address.startsWith(folder)) return;
    window.removeEventListener("error", report, true);
    const notice = document.createElement("div");
    notice.role = "alert";
    notice.id = "lens-root-path";
    notice.style = "position:sticky;top:0;z-index:1000;padding:12px 20px;background:#fff3cd;color:#332701;font:16px/1.5 sans-serif";
    notice.textContent = NOTICE.replaceAll("{path}", folder.slice(location.origin.length, -1));
    const show = () => document.body.prepend(notice);
    if (document.body) show();
    else document.addEventListener("DOMContentLoaded", show);
  };
  window.addEventListener("error", report, true); // of elements whose address does not answer: they do not bubble
}
