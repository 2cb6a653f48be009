// At the door: sign with the finger, and lose nothing where there is no network. The form works without it.
(function () {
  "use strict";

  function start() {
    const form = document.querySelector("form[data-visit]");
    if (!form) return;
    const key = "visit-" + form.dataset.visit;
    const said = form.querySelector("[data-said]");
    const pad = form.querySelector("[data-pad]");
    const canvas = pad.querySelector("canvas");
    const field = form.elements.signature;
    const pen = canvas.getContext("2d");
    let drawn = false;

    pad.hidden = false;
    function size() {
      canvas.width = Math.round(canvas.clientWidth * 2);
      canvas.height = Math.round(canvas.clientHeight * 2);
      pen.lineWidth = 5;
      pen.lineCap = pen.lineJoin = "round";
      pen.strokeStyle = "#111";
    }
    size();

    function at(event) {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * (canvas.width / box.width), (event.clientY - box.top) * (canvas.height / box.height)];
    }
    canvas.addEventListener("pointerdown", function (event) {
      canvas.setPointerCapture(event.pointerId);
      pen.beginPath();
      pen.moveTo(...at(event));
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", function (event) {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      pen.lineTo(...at(event));
      pen.stroke();
      drawn = true;
    });
    canvas.addEventListener("pointerup", keep);
    form.querySelector("[data-wipe]").addEventListener("click", function () {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      drawn = false;
      keep();
    });

    // What was typed stays in this tab until it is recorded.
    function keep() {
      field.value = drawn ? canvas.toDataURL("image/png") : "";
      const kept = {};
      new FormData(form).forEach(function (value, name) {
        if (typeof value === "string" && name !== "csrf_token") kept[name] = value;
      });
      sessionStorage.setItem(key, JSON.stringify(kept));
    }
    function restore() {
      const kept = JSON.parse(sessionStorage.getItem(key) || "null");
      if (!kept) return;
      Object.entries(kept).forEach(function ([name, value]) {
        const input = form.elements[name];
        if (!input) return;
        if (input.type === "checkbox") input.checked = true;
        else input.value = value;
      });
      if (!kept.signature) return;
      const image = new Image();
      image.onload = function () {
        pen.drawImage(image, 0, 0, canvas.width, canvas.height);
        drawn = true;
        field.value = kept.signature;
      };
      image.src = kept.signature;
    }
    restore();
    form.addEventListener("input", keep);

    function fit() {
      const state = form.elements.state.value;
      form.querySelectorAll("[data-for]").forEach((one) => (one.hidden = !one.dataset.for.split(" ").includes(state)));
      pad.hidden = state !== "ACKNOWLEDGED";
    }
    form.addEventListener("change", fit);
    fit();

    function say(text) {
      said.textContent = text;
      said.hidden = false;
      said.scrollIntoView({ block: "center" });
    }

    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      const button = form.querySelector("button:not([type])");
      const photo = form.elements.photo.files[0];
      if (photo && photo.size > Number(form.dataset.largest)) {
        say(form.dataset.large);
        return;
      }
      keep();
      button.disabled = true;
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
      button.disabled = false;
      if (!answer || answer.status >= 500) {
        say(form.dataset.offline);
        return;
      }
      if (answer.redirected && new URL(answer.url).pathname.startsWith("/desk/sign-in")) {
        say(form.dataset.over);
        return;
      }
      if (answer.redirected) {
        // The page it leads to was loaded already, and its message with it: show that one.
        sessionStorage.removeItem(key);
        history.replaceState(null, "", answer.url);
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.title = page.title;
      document.querySelector("main").replaceWith(page.querySelector("main"));
      window.scrollTo(0, 0);
      start();
    });
  }

  start();
})();
