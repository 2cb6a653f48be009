// Keeps the part of a page fresh that says how far long work is; without script a link loads the page again.
(function () {
  "use strict";
  const place = document.querySelector("[data-poll]");
  if (!place) return;
  let pause = 1000;

  async function look() {
    // A server that is away for a moment is asked again, ever more rarely.
    const answer = await fetch(place.dataset.poll).catch(() => null);
    if (answer && answer.ok && !answer.redirected) {
      place.innerHTML = await answer.text();
      if (answer.headers.get("X-Over") === "1") return;
      pause = 1000;
    } else {
      pause = Math.min(pause * 2, 30000);
    }
    setTimeout(look, pause);
  }
  setTimeout(look, pause);
})();
