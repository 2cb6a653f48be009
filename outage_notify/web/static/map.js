// Draws areas on a map without a base map: <div data-map data-source="...geojson" data-words="{...}">.
// data-references, where it is given, names the outages to draw: the map shows what the list shows.
// The list beside the map holds the same; whoever sees no map misses nothing.
(function () {
  "use strict";
  const MARKS = { planned: "●", moved: "↻", active: "▲", overrun: "◆", restored: "✓", cancelled: "✕" };
  const CLUSTER_PIXELS = 48, SIDE_BY_SIDE = 6;
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

  function pin(feature, where) {
    const p = feature.properties, state = look(p);
    const size = p.customers ? Math.min(44, 24 + 5 * Math.log10(p.customers)) : 24;
    const icon = L.divIcon({ className: "pin pin-" + state, html: MARKS[state] || "●", iconSize: [size, size] });
    return L.marker(where, { icon: icon, title: p.area || p.reference, alt: p.area || p.reference });
  }

  // Several outages too near to each other to be told apart at this zoom: their number. Choosing it comes nearer,
  // or names them all where coming nearer can't part them.
  function cluster(map, found, together, say, language) {
    const size = Math.min(60, 34 + 8 * Math.log10(found.length));
    const icon = L.divIcon({ className: "pin cluster", html: String(found.length), iconSize: [size, size] });
    const bounds = L.latLngBounds(found.map((one) => one.where));
    const marker = L.marker(bounds.getCenter(), { icon: icon, title: String(found.length), alt: String(found.length) });
    if (together) {
      marker.bindPopup(function () {
        const box = document.createElement("div");
        found.forEach((one) => box.append(popup(one.feature, say, language)));
        return box;
      }, { maxHeight: 240 });
    } else {
      marker.on("click keypress", () => map.fitBounds(bounds.pad(0.2), { maxZoom: map.getZoom() + 3 }));
    }
    return marker;
  }

  function arrange(map, pins, found, say, language) {
    pins.clearLayers();
    const heaps = new Map();
    found.forEach(function (one) {
      const at = map.project(one.where).divideBy(CLUSTER_PIXELS).round();
      const key = at.x + ":" + at.y;
      heaps.set(key, (heaps.get(key) || []).concat([one]));
    });
    heaps.forEach(function (heap) {
      const together = map.getZoom() >= 16 || heap.every((one) => one.where.equals(heap[0].where));
      if (heap.length > 1 && !(together && heap.length <= SIDE_BY_SIDE)) {
        cluster(map, heap, together, say, language).addTo(pins);
        return;
      }
      // A few at one place never part by zooming: they stand side by side.
      heap.forEach(function (one, number) {
        const shift = (number - (heap.length - 1) / 2) * 30;
        const where = heap.length > 1 ? map.unproject(map.project(heap[0].where).add([shift, 0])) : one.where;
        pin(one.feature, where).bindPopup(() => popup(one.feature, say, language)).addTo(pins);
      });
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
  async function servicePoints(map, source, language) {
    const answer = await fetch(source).catch(() => null);
    if (!answer || !answer.ok) return;
    const signs = { hall: "⌂", charging: "ϟ", water: "≋", warm_room: "☼" };
    (await answer.json()).features.forEach(function (one) {
      const p = one.properties, name = p.name[language] || p.name.en, at = one.geometry.coordinates;
      const icon = L.divIcon({ className: "pin pin-place pin-" + p.supply, html: signs[p.kind], iconSize: [26, 26] });
      const box = document.createElement("div"), link = document.createElement("a");
      link.href = "/service-points";
      link.textContent = name;
      box.append(link, document.createElement("br"), p.address);
      L.marker([at[1], at[0]], { icon: icon, title: name, alt: name }).bindPopup(box).addTo(map);
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
      if (one.feature.properties.phase && one.getLatLngs) found.push({ feature: one.feature, where: middle(one) });
    });
    arrange(map, pins, found, say, language);
    map.on("zoomend", () => arrange(map, pins, found, say, language));
    element.dataset.ready = "true";
    if (element.dataset.points) servicePoints(map, element.dataset.points, language);
  }

  // Without its data (no network, or the page is being left) there is no map; the list beside it says the same.
  document.querySelectorAll("[data-map]").forEach((element) => draw(element).catch(() => { element.hidden = true; }));
})();
