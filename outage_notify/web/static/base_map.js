// The map beneath the maps: BaseMap.under(map, element) puts the provider's tiles, named in data-base-map, below all else.
// A provider that draws on GCJ-02 gets its tiles moved, by the shift at the middle of the view: the data stay where they are.
(function () {
  "use strict";
  const AXIS = 6378245, ECCENTRICITY = 0.00669342162296594323, RAD = Math.PI / 180;

  // WGS-84 to GCJ-02, the formula in common use; the same as geo/gcj02.py, which a test compares.
  function shifted(lat, lng) {
    if (lng < 72.004 || lng > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lat, lng];
    const x = lng - 105, y = lat - 35, sin = (value) => Math.sin(value * Math.PI);
    const both = (20 * sin(6 * x) + 20 * sin(2 * x)) * 2 / 3;
    const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + both
      + (20 * sin(y) + 40 * sin(y / 3)) * 2 / 3 + (160 * sin(y / 12) + 320 * sin(y / 30)) * 2 / 3;
    const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + both
      + (20 * sin(x) + 40 * sin(x / 3)) * 2 / 3 + (150 * sin(x / 12) + 300 * sin(x / 30)) * 2 / 3;
    const bent = 1 - ECCENTRICITY * Math.sin(lat * RAD) ** 2, root = Math.sqrt(bent);
    return [
      lat + north / (AXIS * (1 - ECCENTRICITY) / (bent * root) * RAD),
      lng + east / (AXIS / root * Math.cos(lat * RAD) * RAD),
    ];
  }

  function layer(told) {
    const Moved = L.TileLayer.extend({
      _at: (centre) => told.gcj02 ? L.latLng(shifted(centre.lat, centre.lng)) : centre,
      // The shift differs from place to place: after a long way it is taken anew.
      _onMoveEnd: function () {
        L.TileLayer.prototype._onMoveEnd.call(this);
        if (told.gcj02 && this._map) this._setZoomTransforms(this._map.getCenter(), this._map.getZoom());
      },
      // All that Leaflet reckons from the middle of the view: which tiles are wanted, and where they are put.
      _setZoomTransform: function (level, centre, zoom) {
        L.TileLayer.prototype._setZoomTransform.call(this, level, this._at(centre), zoom);
      },
      _getTiledPixelBounds: function (centre) {
        return L.TileLayer.prototype._getTiledPixelBounds.call(this, this._at(centre));
      },
    });
    // Providers ask to know which site shows their tiles: the origin, never the page.
    return new Moved(told.url, { subdomains: told.subdomains.length ? told.subdomains : "abc", referrerPolicy: "origin",
      maxZoom: 20, maxNativeZoom: 18, zIndex: 0, className: "base-map" });
  }

  // The provider's words as text; an address among them becomes a link.
  function named(text) {
    const box = document.createElement("span");
    text.split(/(https:\/\/\S+)/).forEach(function (part) {
      if (!part.startsWith("https://")) return box.append(part);
      const link = document.createElement("a");
      link.href = part;
      link.rel = "noreferrer";
      link.textContent = new URL(part).hostname;
      box.append(link);
    });
    return box.innerHTML;
  }

  function under(map, element) {
    if (!element.dataset.baseMap) return;
    const told = JSON.parse(element.dataset.baseMap);
    layer(told).addTo(map);
    if (told.attribution) L.control.attribution({ prefix: false }).addAttribution(named(told.attribution)).addTo(map);
    element.classList.add("with-base");
  }

  window.BaseMap = { under: under, shifted: shifted };
})();
