// Small helps for forms; every form works without them.
(function () {
  "use strict";

  // A double click sends once.
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (event.submitter && event.submitter.dataset.confirm && !window.confirm(event.submitter.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    if (form.method === "post" && !("again" in form.dataset)) {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "true";
    }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });

  // A file that the server would refuse is refused before it is sent, so that the rest of the form is not lost.
  document.addEventListener("change", function (event) {
    const input = event.target;
    if (input.type !== "file" || !input.dataset.most) return;
    const large = Array.from(input.files).some((one) => one.size > Number(input.dataset.most));
    input.setCustomValidity(large ? input.dataset.tooLarge : "");
    input.reportValidity();
  });

  // Search an element of the network and add it as a line of the text field.
  document.querySelectorAll("[data-element-search]").forEach(function (input) {
    const list = document.getElementById(input.getAttribute("list"));
    const target = document.getElementById(input.dataset.elementSearch);
    let latest = 0;
    input.addEventListener("input", async function () {
      const wanted = input.value.trim();
      const turn = ++latest;
      if (take(wanted) || wanted.length < 2) return;
      // Asked once typing pauses.
      await new Promise((go) => setTimeout(go, 150));
      if (turn !== latest) return;
      // Suggestions are a help only: without network one types on.
      const answer = await fetch(input.dataset.source + "?q=" + encodeURIComponent(wanted)).catch(() => null);
      if (!answer || !answer.ok || turn !== latest) return;
      const found = await answer.json();
      list.replaceChildren(...found.elements.map(function (one) {
        const option = document.createElement("option");
        option.value = one.element;
        option.label = one.label;
        return option;
      }));
    });
    input.addEventListener("keydown", function (event) {
      if (event.key === "Enter") {
        event.preventDefault();
        add(input.value.trim());
      }
    });

    function take(value) {
      const known = Array.from(list.options).some((option) => option.value === value);
      if (known) add(value);
      return known;
    }

    function add(value) {
      if (!value) return;
      const lines = target.value.split("\n").map((one) => one.trim()).filter(Boolean);
      if (!lines.includes(value)) lines.push(value);
      target.value = lines.join("\n");
      target.dispatchEvent(new Event("picked", { bubbles: true }));
      input.value = "";
      list.replaceChildren();
    }
  });

  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });
})();
