"use strict";
// Filters the findings. The page is whole without it: all of them are shown then.
(function () {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  if (!form || !shown) return;
  const findings = Array.from(document.querySelectorAll(".finding"), (element) => ({
    element,
    text: element.textContent.toLowerCase(),
    is: element.dataset,
  }));
  const fields = ["severity", "effect", "model", "plugin"];
  function filter() {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = fields.map((name) => [name, form.elements[name].value]).filter((pair) => pair[1]);
    let count = 0;
    for (const finding of findings) {
      const fits =
        wanted.every(([name, value]) => finding.is[name] === value) &&
        words.every((word) => finding.text.includes(word));
      if (finding.element.hidden === fits) finding.element.hidden = !fits;
      count += fits ? 1 : 0;
    }
    shown.textContent = count === findings.length ? "" : count + " of " + findings.length + " shown";
  }
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
})();
