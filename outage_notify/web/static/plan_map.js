// The planner's map: PlanMap.create(section, {pick, close}) returns {show(features), draw(done), look(lon, lat)} or null
// where the network lies nowhere. It writes nothing itself: what is clicked is handed to the form.
(function () {
  "use strict";
  const WIDTHS = { dead: 3, zone: 6, picked: 11 };

  function colours(element) {
    const style = getComputedStyle(element);
    const of = (name) => style.getPropertyValue(name).trim();
    const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    return {
      ink: of("--ink"), soft: of("--ink-soft"), paper: of("--paper"), bad: of("--bad"), hot: of("--hot"), accent: of("--accent"),
      good: of("--good"), wait: of("--wait"), strength: dark ? "45% 62%" : "45% 42%",
    };
  }

  function mark(name, text) {
    return L.divIcon({ className: "plan-mark plan-" + name, html: text || "", iconSize: text ? null : [16, 16] });
  }

  async function create(section, actions) {
    const answer = await fetch(section.dataset.network).catch(() => null);
    if (!answer || !answer.ok) return null;
    const network = await answer.json();
    if (!network.bounds) return null;
    section.hidden = false;
    const words = JSON.parse(section.dataset.words), element = section.querySelector("[data-plan-map]");
    const map = L.map(element, { attributionControl: false, minZoom: 3, maxZoom: 20, zoomSnap: 1, doubleClickZoom: true, tap: false });
    const [west, south, east, north] = network.bounds;
    const all = L.latLngBounds([south, west], [north, east]).pad(0.04);
    map.fitBounds(all, { animate: false });
    if (window.BaseMap) BaseMap.under(map, element);
    L.control.scale({ imperial: false }).addTo(map);
    const base = section.dataset.network.replace(/\.json$/, "/") + network.version + "/";
    let look = colours(element);
    const tiles = PlanTiles.layer(base, () => look).addTo(map);
    const paint = L.canvas({ padding: 0.3 });
    const shown = L.layerGroup().addTo(map);
    let features = [];
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
      look = colours(element);
      tiles.redraw();
      show(features);
    });
    tiles.on("load", () => { element.dataset.ready = "true"; });

    function reach() {
      return window.matchMedia("(pointer: coarse)").matches ? 18 : 9;
    }

    let drawing = null;
    map.on("click", function (event) {
      if (drawing) return drawing.corner(event.latlng);
      const found = tiles.at(event.latlng, reach());
      if (found) actions.pick(found);
    });
    const tip = L.tooltip({ direction: "top", offset: [0, -8], opacity: 1 });
    let waiting = false;
    map.on("mousemove", function (event) {
      if (drawing || waiting) return;
      waiting = true;
      requestAnimationFrame(function () {
        waiting = false;
        const found = tiles.at(event.latlng, reach());
        element.classList.toggle("over", Boolean(found));
        if (!found) return tip.remove();
        const state = found.kind === "switch" ? " · " + (found.on ? words.closed : words.open) : "";
        const label = document.createElement("span");
        label.textContent = found.id + state + (found.feeder ? " · " + found.feeder : "");
        tip.setLatLng(event.latlng).setContent(label).addTo(map);
      });
    });
    map.on("mouseout", () => tip.remove());

    function style(role) {
      const colour = { dead: look.bad, zone: look.hot, picked: look.accent }[role] || look.ink;
      return { renderer: paint, color: colour, weight: WIDTHS[role] || 3, opacity: role === "picked" ? 0.35 : 0.9, interactive: false,
        dashArray: role === "dead" ? "6 5" : null, fill: false };
    }

    function point(feature, where) {
      const p = feature.properties;
      if (p.role === "lost") return L.circleMarker(where, { renderer: paint, radius: 3, stroke: false, fillColor: look.bad, fillOpacity: 0.9, interactive: false });
      if (p.role === "reduced") return L.circleMarker(where, { renderer: paint, radius: 4.5, color: look.wait, weight: 2, fillColor: look.paper, fillOpacity: 1, interactive: false });
      if (p.role === "open" || p.role === "closed") return L.marker(where, { icon: mark(p.role), interactive: false, keyboard: false });
      if (p.role === "tie") {
        const said = words.tie.replace("NUM", p.customers);
        const marker = L.marker(where, { icon: mark("tie", "+" + p.customers), title: p.id + ": " + said, alt: p.id + ": " + said });
        return marker.on("click keypress", () => actions.close(p.id));
      }
      return L.circleMarker(where, Object.assign(style(p.role), { radius: p.role === "picked" ? 11 : 7, weight: 4 }));
    }

    function show(found) {
      features = found;
      shown.clearLayers();
      L.geoJSON({ type: "FeatureCollection", features: found }, { style: (f) => style(f.properties.role), pointToLayer: point }).addTo(shown);
      element.dataset.shown = String(found.length);
    }

    // Corners by click, ended by the button or a double click; Escape gives up. The corners so far are drawn.
    function draw(done) {
      if (drawing) drawing.end(null);
      const corners = [], line = L.polygon([], { color: look.accent, weight: 2, dashArray: "4 4", interactive: false }).addTo(map);
      map.doubleClickZoom.disable();
      element.classList.add("drawing");
      function key(event) {
        if (event.key === "Escape") drawing.end(null);
      }
      document.addEventListener("keydown", key);
      drawing = {
        corner: function (where) {
          const last = corners[corners.length - 1];
          if (last && map.latLngToContainerPoint(last).distanceTo(map.latLngToContainerPoint(where)) < 4) return;
          corners.push(where);
          line.setLatLngs(corners);
        },
        end: function (found) {
          drawing = null;
          line.remove();
          document.removeEventListener("keydown", key);
          map.doubleClickZoom.enable();
          map.off("dblclick", finish);
          element.classList.remove("drawing");
          done(found);
        },
      };
      function finish() {
        if (!drawing) return;
        drawing.end(corners.length > 2 ? [...corners, corners[0]].map((one) => [one.lng, one.lat]) : null);
      }
      map.on("dblclick", finish);
      return finish;
    }

    return {
      show: show,
      draw: draw,
      all: () => map.fitBounds(all),
      fit: function () {
        const bounds = L.geoJSON({ type: "FeatureCollection", features: features }).getBounds();
        if (bounds.isValid()) map.fitBounds(bounds.pad(0.15), { maxZoom: 16, animate: false });
      },
      go: (lon, lat) => map.setView([lat, lon], Math.max(map.getZoom(), 16)),
      map: map,
    };
  }

  window.PlanMap = { create: create };
})();
