// The planner's form beside its map: each change asks once for what the form as it stands would mean, and shows it.
// Buttons that carry a step write into the form at once; without script they send the form.
(function () {
  "use strict";
  const form = document.getElementById("plan"), found = document.getElementById("found"), section = document.getElementById("planner-map");
  if (!form || !found || !section) return;
  const words = JSON.parse(section.dataset.words), said = section.querySelector("[data-said]");
  let map = null, asking = null, timer = 0, features = [], lit = "", latest = "";

  function lines(name) {
    return form.elements[name].value.split("\n").map((one) => one.trim()).filter(Boolean);
  }

  function put(name, elements, wanted) {
    const kept = lines(name).filter((one) => !elements.includes(one));
    form.elements[name].value = (wanted ? kept.concat(elements) : kept).join("\n");
    if (name !== "work") document.getElementById("switching").open = true;
    ask(0);
  }

  // Answers come in the order of the questions: an older one is given up.
  function ask(wait) {
    clearTimeout(timer);
    timer = setTimeout(async function () {
      if (asking) asking.abort();
      const mine = (asking = new AbortController());
      found.setAttribute("aria-busy", "true");
      try {
        const answer = await fetch(form.dataset.live, { method: "POST", body: new FormData(form), signal: mine.signal });
        if (answer.redirected || answer.status === 401 || answer.status === 400) return tell(words.signed_out);
        if (!answer.ok) return tell(words.not_loaded);
        const told = await answer.json();
        replace(told.html);
        features = told.features;
        // Another window lights up the same: it is not drawn anew.
        const same = JSON.stringify(features);
        if (map && same !== lit) map.show(features);
        if (map) lit = same;
        tell("");
        // On a phone the answer lies far below the map: its sum stands there too.
        const sum = found.querySelector(".summary");
        said.textContent = [latest, sum ? sum.textContent.trim() : ""].filter(Boolean).join(" · ");
      } catch (error) {
        if (error.name !== "AbortError") tell(words.not_loaded);
      } finally {
        if (asking === mine) found.removeAttribute("aria-busy");
      }
    }, wait);
  }

  function tell(text) {
    let note = document.getElementById("live-note");
    if (!note) {
      note = document.createElement("p");
      note.id = "live-note";
      note.className = "note note-warn";
      note.setAttribute("role", "alert");
      found.before(note);
    }
    note.textContent = text;
    note.hidden = !text;
  }

  // What was unfolded stays so, and who stands on a button keeps standing there.
  function replace(html) {
    const open = new Set(Array.from(found.querySelectorAll("details[open][data-key]"), (one) => one.dataset.key));
    const at = document.activeElement && found.contains(document.activeElement) ? document.activeElement.value : null;
    const box = document.createElement("div");
    box.innerHTML = html;
    box.querySelectorAll("details[data-key]").forEach((one) => { one.open = open.has(one.dataset.key); });
    found.replaceChildren(...box.childNodes);
    if (at !== null) {
      const same = Array.from(found.querySelectorAll("button")).find((one) => one.value === at);
      (same || found).focus();
    }
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest("button[data-step]");
    if (!button) return;
    const [verb, name, ...rest] = button.value.split(":");
    if (verb !== "add" && verb !== "drop") return;
    event.preventDefault();
    put(name, rest.join(":").split(name === "close" ? " " : "\n"), verb === "add");
  });

  form.addEventListener("input", () => ask(250));
  form.addEventListener("change", () => ask(20));
  form.addEventListener("picked", () => ask(0));

  function pick(one) {
    const wanted = document.querySelector("[name=pick]:checked").value;
    let name = one.kind === "switch" && !one.on ? "close" : "work", id = one.id;
    if (wanted === "feeder" && one.kind !== "switch") {
      if (!one.feeder) {
        said.textContent = words.no_feeder.replace("ID", one.id);
        return;
      }
      id = "feeder:" + one.feeder;
    }
    const there = lines(name).includes(id);
    latest = (there ? words.dropped : words.picked).replace("ID", id);
    said.textContent = latest;
    put(name, [id], !there);
  }

  // Search and drawn area: what was found stands under the search field, to be picked by its buttons.
  const finder = document.getElementById("planner-find"), places = document.getElementById("places");

  async function answer(address, field, value) {
    const body = new FormData();
    body.set("csrf_token", form.elements.csrf_token.value);
    body.set(field, value);
    const got = await fetch(address, { method: "POST", body: body }).catch(() => null);
    if (!got || got.redirected || got.status === 400) return tell(got ? words.signed_out : words.not_loaded);
    const text = await got.text();
    places.innerHTML = text.startsWith("{") ? JSON.parse(text).html : text;
    places.scrollIntoView({ block: "nearest" });
  }

  function search(event) {
    event.preventDefault();
    answer(finder.dataset.find, "find", form.elements.find.value);
  }
  form.elements.find.addEventListener("keydown", (event) => { if (event.key === "Enter") search(event); });
  form.elements.find.addEventListener("input", (event) => event.stopPropagation());
  finder.querySelector("[data-find-button]").addEventListener("click", search);
  places.addEventListener("click", function (event) {
    const button = event.target.closest("[data-go]");
    if (button && map) map.go(...button.dataset.go.split(",").map(Number));
  });

  const drawer = section.querySelector("[data-tool=draw]"), drawn = drawer.textContent;
  let finish = null;
  drawer.addEventListener("click", function () {
    if (finish) return finish();
    drawer.textContent = words.finish;
    said.textContent = words.draw;
    finish = map.draw(function (ring) {
      finish = null;
      drawer.textContent = drawn;
      said.textContent = ring ? "" : words.too_few;
      if (ring) answer(finder.dataset.within, "area", JSON.stringify({ type: "Polygon", coordinates: [ring] }));
    });
  });

  section.querySelector("[data-tool=all]").addEventListener("click", () => map.all());
  section.querySelector("[data-tool=fit]").addEventListener("click", () => map.fit());
  PlanMap.create(section, { pick: pick, close: (id) => put("close", [id], true) }).then(function (made) {
    map = made;
    window.planMap = made;
    if (map) {
      map.show(features);
      if (features.length) map.fit();
    }
  });
  if (["start", "end", "work", "out"].some((name) => form.elements[name].value)) ask(0);
})();
