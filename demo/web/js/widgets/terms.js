import { createNode } from "../core/dom.js";
import { inPageLanguage } from "../core/language.js";

/** The first mention of a term in a heading or a sentence shows its definition under the pointer. value:
    demo/i18n/strings/terms.py by language: {TERM: definition, TERM_word: what is looked for, if not TERM itself}. */
const PLACES = ".lens-panel :is(h3, p, figcaption span), .lens-hero > p, .lens-label";

function findTerms(strings) {
  const keys = Object.keys(strings).filter((key) => !key.endsWith("_word"));
  return keys.map((key) => {
    const word = strings[`${key}_word`] || key; // "tested" does not mention STE
    return { word, definition: strings[key], pattern: new RegExp(`(?<![a-z])${word}(?![a-z])`, "i") };
  });
}

function mark(place, terms) {
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT), texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const { word, definition, pattern } of terms) {
    const find = (text) => text.data.search(pattern);
    const text = texts.find((node) => find(node) >= 0);
    if (!text || place.querySelector(`abbr[data-term="${word}"]`)) continue;
    const found = text.splitText(find(text)), rest = found.splitText(word.length);
    found.replaceWith(createNode("abbr", { title: definition, data: { term: word } }, found.data));
    texts.push(rest);
  }
}

export function mountTerms(element, props) {
  const terms = findTerms(inPageLanguage(props.value));
  const markAll = (root) => {
    if (root.matches?.(PLACES)) mark(root, terms);
    root.querySelectorAll?.(PLACES).forEach((place) => mark(place, terms));
  };
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(markAll);
  }).observe(document.body, { subtree: true, childList: true });
  markAll(document.body);
}
