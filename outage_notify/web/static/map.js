// Draws areas on a map without a base map: <div data-map data-source="...geojson" data-words="{...}">.
// data-references, where it is given, names the outages to draw: the map shows what the list shows.
// The list beside the map holds the same; whoever sees no map misses nothing.
(function () {
  "use strict";
  const MARKS = { planned: "●", moved: "↻", active: "▲", overrun: "◆", restored: "✓", cancelled: "✕" };
  const CLUSTER_PIXELS = 48;
  // What goes on now lies on top of what is planned, and that on top of what is over.
  const LAYERS = ["restored", "cancelled", "planned", "active", "overrun"];

  function words(element) {
    return JSON.parse(element.dataset.words || "{}");
  }

  function look(p) {
    return p.phase === "planned" && p.moved ? "moved" : p.phase;
  }

  function popup(feature, say, language) {
    const p = feature.properties;
    const box = document.createElement("div");
    const title = document.createElement("strong");
    title.textContent = p.area || p.name || p.reference || "";
    box.append(title);
    if (p.phase) {
      const state = document.createElement("div");
      state.textContent = MARKS[look(p)] + " " + (say[p.phase] || p.phase);
      const when = document.createElement("div");
      when.textContent = span(p, language);
      const link = document.createElement("a");
      link.href = p.url || "/outages/" + encodeURIComponent(p.reference);
      link.textContent = p.reference;
      box.append(state, when, link);
    }
    return box;
  }

  function span(p, language) {
    const format = new Intl.DateTimeFormat(language, {
      timeZone: p.timezone, month: "short", day: "numeric", weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false,
    });
    const start = new Date(p.start), end = new Date(p.end);
    return format.formatRange ? format.formatRange(start, end) : format.format(start) + " – " + format.format(end);
  }

  // A mark on the map: reached by keyboard, named in words, never so near to another one that it hides it.
  function mark(where, look, size, sign, label) {
    const icon = L.divIcon({ className: "pin " + look, html: sign, iconSize: [size, size] });
    const marker = L.marker(where, { icon: icon, title: label });
    marker.on("add", () => marker.getElement().setAttribute("aria-label", label));
    return marker;
  }

  function ofOutage(feature, where, say, language) {
    const p = feature.properties, state = look(p);
    const size = p.customers ? Math.min(44, 24 + 5 * Math.log10(p.customers)) : 24;
    const label = [p.area || p.reference, say[p.phase] || p.phase, span(p, language)].join(", ");
    return {
      where: where, label: label, box: () => popup(feature, say, language),
      mark: () => mark(where, "pin-" + state, size, MARKS[state] || "●", label),
    };
  }

  // Several too near to each other to be told apart at this zoom: their number. Choosing it comes nearer,
  // or names them all where coming nearer can't part them.
  function cluster(map, heap) {
    const size = Math.min(44, 34 + 5 * Math.log10(heap.length));
    const bounds = L.latLngBounds(heap.map((one) => one.where));
    const label = heap.length + ": " + heap.slice(0, 3).map((one) => one.label).join("; ") + (heap.length > 3 ? " …" : "");
    const marker = mark(heap[0].where, "cluster", size, String(heap.length), label);
    if (map.getZoom() >= 16 || heap.every((one) => one.where.equals(heap[0].where))) {
      marker.bindPopup(function () {
        const box = document.createElement("div");
        heap.forEach((one) => box.append(one.box()));
        return box;
      }, { maxHeight: 240 });
    } else {
      const nearer = () => map.fitBounds(bounds.pad(0.2), { maxZoom: map.getZoom() + 3 });
      marker.on("click", nearer).on("keypress", (event) => { if (event.originalEvent.key === "Enter") nearer(); });
    }
    return marker;
  }

  // Each joins the first heap within reach, else begins one: heaps are never nearer than CLUSTER_PIXELS to each other.
  function heapsOf(map, found) {
    const squares = new Map(), heaps = [];
    found.forEach(function (one) {
      const at = map.project(one.where), x = Math.floor(at.x / CLUSTER_PIXELS), y = Math.floor(at.y / CLUSTER_PIXELS);
      for (let dx = -1; dx <= 1; dx++) {
        for (let dy = -1; dy <= 1; dy++) {
          const near = (squares.get((x + dx) + ":" + (y + dy)) || []).find((heap) => heap.at.distanceTo(at) < CLUSTER_PIXELS);
          if (near) return near.all.push(one);
        }
      }
      const heap = { at: at, all: [one] };
      squares.set(x + ":" + y, (squares.get(x + ":" + y) || []).concat([heap]));
      heaps.push(heap);
    });
    return heaps.map((heap) => heap.all);
  }

  function arrange(map, pins, found) {
    pins.clearLayers();
    heapsOf(map, found).forEach(function (heap) {
      (heap.length > 1 ? cluster(map, heap) : heap[0].mark().bindPopup(heap[0].box)).addTo(pins);
    });
  }

  // In the middle of the largest part: between the parts there may be nobody.
  function middle(area) {
    let best = null;
    area.getLatLngs().forEach(function (part) {
      const bounds = L.latLngBounds(part.flat(Infinity));
      const size = bounds.getSouthWest().distanceTo(bounds.getNorthEast());
      if (!best || size > best.size) best = { size: size, where: bounds.getCenter() };
    });
    return best.where;
  }

  function style(feature) {
    const p = feature.properties;
    if (p.role && p.role !== "area") return { className: "net net-" + p.role };
    return { className: "area area-" + (look(p) || p.role) };
  }

  function point(crowd, feature, where) {
    const role = feature.properties.role;
    return L.circleMarker(where, { radius: role === "lost" ? (crowd ? 1.5 : 3) : 5, className: "net net-" + role });
  }

  // Halls, charging, water points, warm rooms; what is dark itself looks so. The page of them says the same.
  async function servicePoints(source, language) {
    const answer = await fetch(source).catch(() => null);
    if (!answer || !answer.ok) return [];
    const signs = { hall: "⌂", charging: "ϟ", water: "≋", warm_room: "☼" };
    return (await answer.json()).features.map(function (one) {
      const p = one.properties, name = p.name[language] || p.name.en, at = one.geometry.coordinates;
      const where = L.latLng(at[1], at[0]);
      return {
        where: where, label: name, mark: () => mark(where, "pin-place pin-" + p.supply, 26, signs[p.kind], name),
        box: function () {
          const box = document.createElement("div"), link = document.createElement("a");
          link.href = "/service-points";
          link.textContent = name;
          box.append(link, document.createElement("br"), p.address);
          return box;
        },
      };
    });
  }

  async function draw(element) {
    const say = words(element), language = document.documentElement.lang;
    const chosen = element.dataset.references ? new Set(JSON.parse(element.dataset.references)) : null;
    const answer = await fetch(element.dataset.source, { headers: { Accept: "application/geo+json" } });
    if (!answer.ok) {
      element.hidden = true;
      return;
    }
    const collection = await answer.json();
    const features = collection.features.filter((one) => one.geometry && (!chosen || chosen.has(one.id)));
    features.sort((a, b) => LAYERS.indexOf(a.properties.phase) - LAYERS.indexOf(b.properties.phase));
    const shown = { type: "FeatureCollection", features: features };
    const layer = L.geoJSON(shown, { style: style, pointToLayer: point.bind(null, shown.features.length > 1000) });
    layer.bindPopup((one) => popup(one.feature, say, language));
    if (shown.features.length === 0) {
      element.hidden = true;
      return;
    }
    const map = L.map(element, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: true });
    // The view first: what is on the map already would be drawn twice.
    const bounds = layer.getBounds();
    if (bounds.isValid()) map.fitBounds(bounds.pad(0.1), { maxZoom: 16, animate: false });
    else map.setView([0, 0], 2);
    if (window.BaseMap) BaseMap.under(map, element);
    L.control.scale({ imperial: false }).addTo(map);
    layer.addTo(map);
    const pins = L.layerGroup().addTo(map), found = [];
    layer.eachLayer(function (one) {
      if (one.feature.properties.phase && one.getLatLngs) found.push(ofOutage(one.feature, middle(one), say, language));
    });
    arrange(map, pins, found);
    map.on("zoomend", () => arrange(map, pins, found));
    element.dataset.ready = "true";
    if (!element.dataset.points) return;
    const places = await servicePoints(element.dataset.points, language);
    if (places.length) arrange(map, pins, (found.push(...places), found));
  }

  // Without its data (no network, or the page is being left) there is no map; the list beside it says the same.
  document.querySelectorAll("[data-map]").forEach((element) => draw(element).catch(() => { element.hidden = true; }));
})();
