"use strict";
(() => {
  const form = document.getElementById("filter");
  const [search, verdict, layer, found] =
    ["search", "verdict", "layer", "found"].map((id) => document.getElementById(id));
  const items = Array.from(document.querySelectorAll("[data-verdict]"));
  const texts = new Map();
  const textOf = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };
  const has = (words, word) => word === "" || words.split(" ").includes(word);
  const apply = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const fits = has(item.dataset.verdict, verdict.value) && has(item.dataset.layer, layer.value)
        && wanted.every((word) => textOf(item).includes(word));
      item.hidden = !fits;
      shown += fits;
    }
    found.textContent = `${shown} of ${items.length} rows`;
  };
  // A link leads to something that can be seen, whatever was filtered or folded.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      form.reset();
      apply();
    }
    const details = target.querySelector("details");
    if (details) details.open = true;
    target.scrollIntoView();
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
