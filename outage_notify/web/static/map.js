// Draws areas on a map without a base map: <div data-map data-source="...geojson" data-words="{...}">.
// The list beside the map holds the same; whoever sees no map misses nothing.
(function () {
  "use strict";
  const MARKS = { planned: "●", active: "▲", overrun: "◆", restored: "✓", cancelled: "✕" };

  function words(element) {
    return JSON.parse(element.dataset.words || "{}");
  }

  function popup(feature, say, language) {
    const p = feature.properties;
    const box = document.createElement("div");
    const title = document.createElement("strong");
    title.textContent = p.area || p.name || p.reference || "";
    box.append(title);
    if (p.phase) {
      const state = document.createElement("div");
      state.textContent = MARKS[p.phase] + " " + (say[p.phase] || p.phase);
      const when = document.createElement("div");
      when.textContent = span(p, language);
      const link = document.createElement("a");
      link.href = "/outages/" + encodeURIComponent(p.reference);
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
    const p = feature.properties;
    const size = p.customers ? Math.min(44, 22 + 5 * Math.log10(p.customers)) : 22;
    const icon = L.divIcon({
      className: "pin pin-" + p.phase, html: MARKS[p.phase] || "●", iconSize: [size, size],
    });
    return L.marker(where, { icon: icon, title: p.area || p.reference, alt: p.area || p.reference });
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
    return { className: "area area-" + (p.phase || p.role) };
  }

  function point(crowd, feature, where) {
    const role = feature.properties.role;
    return L.circleMarker(where, { radius: role === "lost" ? (crowd ? 1.5 : 3) : 5, className: "net net-" + role });
  }

  async function draw(element) {
    const say = words(element), language = document.documentElement.lang;
    const map = L.map(element, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: true });
    map.setView([0, 0], 2);
    L.control.scale({ imperial: false }).addTo(map);
    const answer = await fetch(element.dataset.source, { headers: { Accept: "application/geo+json" } });
    if (!answer.ok) {
      element.hidden = true;
      return;
    }
    const collection = await answer.json();
    const shown = { type: "FeatureCollection", features: collection.features.filter((one) => one.geometry) };
    const layer = L.geoJSON(shown, { style: style, pointToLayer: point.bind(null, shown.features.length > 1000) });
    layer.bindPopup((one) => popup(one.feature, say, language));
    layer.addTo(map);
    const pins = L.layerGroup().addTo(map);
    layer.eachLayer(function (one) {
      if (one.feature.properties.phase && one.getLatLngs) {
        pin(one.feature, middle(one)).bindPopup(() => popup(one.feature, say, language)).addTo(pins);
      }
    });
    if (shown.features.length === 0) {
      element.hidden = true;
      return;
    }
    const bounds = layer.getBounds();
    if (bounds.isValid()) map.fitBounds(bounds.pad(0.1), { maxZoom: 16, animate: false });
    element.dataset.ready = "true";
  }

  document.querySelectorAll("[data-map]").forEach(draw);
})();
