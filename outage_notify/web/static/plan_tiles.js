// The network as canvas tiles for Leaflet: PlanTiles.layer(version, look) draws what the server's tiles hold and answers
// `at(point)` with what lies there. A tile is data (see geo/network_tiles.py), so a hit needs no question to the server.
(function () {
  "use strict";
  const EXTENT = 4096, SIDE = 512, SWITCHES_FROM = 14, STATIONS_FROM = 12;
  const HUES = [205, 160, 275, 35, 95, 240, 320, 180];

  function hue(name) {
    let sum = 0;
    for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) >>> 0;
    return HUES[sum % HUES.length];
  }

  // Data of a line from steps to absolute positions, once.
  function unpack(tile) {
    tile.line.forEach(function (one) {
      for (let i = 6; i < one.length; i += 2) {
        one[i] += one[i - 2];
        one[i + 1] += one[i - 1];
      }
    });
    return tile;
  }

  // Where a mark stands in the tile, in pixels: a switch a little along its line.
  function spot(one, away) {
    const scale = SIDE / EXTENT;
    return [one[3] * scale + (one[5] / 100) * away, one[4] * scale + (one[6] / 100) * away];
  }

  const Layer = L.GridLayer.extend({
    options: { tileSize: SIDE, minZoom: 3, maxZoom: 20, updateWhenIdle: false, keepBuffer: 1 },

    initialize: function (address, look, options) {
      L.GridLayer.prototype.initialize.call(this, options);
      this._address = address;
      this._look = look;
      this._data = new Map();
      this._away = 9;
    },

    createTile: function (coords, done) {
      const canvas = document.createElement("canvas"), density = window.devicePixelRatio || 1;
      canvas.width = canvas.height = SIDE * density;
      this._load(coords)
        .then((tile) => {
          this._draw(canvas.getContext("2d"), density, tile, coords.z);
          done(null, canvas);
        })
        .catch((error) => done(error, canvas));
      return canvas;
    },

    // Tiles are twice as large as usual ones, so they are numbered like those of the zoom above.
    _load: function (coords) {
      const key = [coords.z, coords.x, coords.y].join("/");
      if (!this._data.has(key)) {
        if (this._data.size > 400) this._data.clear();
        const loading = fetch(this._address + [coords.z - 1, coords.x, coords.y].join("/") + ".json").then(async function (answer) {
          if (!answer.ok) throw new Error("no tile");
          return unpack(await answer.json());
        });
        const kept = { loading: loading, tile: null };
        loading.then((tile) => { kept.tile = tile; }, () => this._data.delete(key));
        this._data.set(key, kept);
      }
      return this._data.get(key).loading;
    },

    _draw: function (pen, density, tile, zoom) {
      const look = this._look(), scale = SIDE / EXTENT;
      pen.scale(density, density);
      pen.lineCap = pen.lineJoin = "round";
      const colours = tile.feeders.map((name) => "hsl(" + hue(name) + " " + look.strength + ")");
      [0, 1].forEach(function (main) {
        tile.line.forEach(function (one) {
          if (one[2] !== main) return;
          pen.beginPath();
          for (let i = 4; i < one.length; i += 2) pen.lineTo(one[i] * scale, one[i + 1] * scale);
          pen.setLineDash(one[3] ? [] : [4, 4]);
          pen.strokeStyle = colours[one[1]] || look.soft;
          pen.lineWidth = main ? (zoom > 13 ? 2.5 : 1.5) : zoom > 15 ? 1.25 : 0.6;
          pen.stroke();
        });
      });
      pen.setLineDash([]);
      pen.strokeStyle = look.ink;
      if (zoom >= STATIONS_FROM) tile.trafo.forEach((one) => this._trafo(pen, look, spot(one, 0), zoom));
      tile.source.forEach(function (one) {
        const [x, y] = spot(one, 0);
        pen.beginPath();
        pen.moveTo(x, y - 8);
        pen.lineTo(x + 8, y + 6);
        pen.lineTo(x - 8, y + 6);
        pen.closePath();
        pen.fillStyle = look.ink;
        pen.fill();
      });
      tile.switch.forEach((one) => this._switch(pen, look, one, zoom));
    },

    _trafo: function (pen, look, at, zoom) {
      const r = zoom > 14 ? 5 : zoom > 13 ? 3 : 2;
      pen.lineWidth = zoom > 14 ? 1.5 : 1;
      pen.fillStyle = look.paper;
      [-0.6, 0.6].forEach(function (side) {
        pen.beginPath();
        pen.arc(at[0] + side * r, at[1], r, 0, 7);
        if (side < 0) pen.fill();
        pen.stroke();
      });
    },

    _switch: function (pen, look, one, zoom) {
      const closed = one[2] & 1, small = zoom < 15;
      if (zoom < SWITCHES_FROM && (closed || one[2] & 2 || zoom < 10)) return;
      const [x, y] = spot(one, zoom >= 16 ? this._away : zoom >= SWITCHES_FROM ? 5 : 0), r = closed ? (small ? 1.5 : 3) : small ? 4 : 5.5;
      pen.lineWidth = closed ? 1 : 1.75;
      pen.fillStyle = closed ? look.ink : look.paper;
      pen.fillRect(x - r, y - r, 2 * r, 2 * r);
      if (closed) return;
      pen.strokeRect(x - r, y - r, 2 * r, 2 * r);
      pen.beginPath();
      pen.moveTo(x - r, y + r);
      pen.lineTo(x + r, y - r);
      pen.stroke();
    },

    // What lies within `reach` pixels of a place: {id, kind, feeder, on}; marks before lines. Null if nothing does.
    at: function (where, reach) {
      const zoom = this._map.getZoom();
      if (zoom !== Math.round(zoom)) return null;
      const p = this._map.project(where, zoom), x = Math.floor(p.x / SIDE), y = Math.floor(p.y / SIDE);
      let best = null;
      for (let dx = -1; dx <= 1; dx++) {
        for (let dy = -1; dy <= 1; dy++) {
          const kept = this._data.get([zoom, x + dx, y + dy].join("/"));
          const here = [p.x - (x + dx) * SIDE, p.y - (y + dy) * SIDE];
          if (kept && kept.tile) best = nearest(kept.tile, here, reach, zoom, zoom >= 16 ? this._away : 5, best);
        }
      }
      return best;
    },
  });

  function nearest(tile, here, reach, zoom, away, best) {
    function offer(one, kind, metres, on) {
      if (best && best.distance <= metres) return;
      best = { id: one[0], kind: kind, feeder: one[1] < 0 ? null : tile.feeders[one[1]], on: on, distance: metres };
    }
    function points(list, kind, shift, least) {
      if (zoom < least) return;
      list.forEach(function (one) {
        const [x, y] = spot(one, shift), far = Math.hypot(x - here[0], y - here[1]);
        // A mark is meant before the line under it.
        if (far <= reach) offer(one, kind, far - reach, one[2] & 1);
      });
    }
    points(tile.switch.filter((one) => !(one[2] & 1) && (zoom >= SWITCHES_FROM || !(one[2] & 2))), "switch", zoom < SWITCHES_FROM ? 0 : away, 10);
    points(tile.switch.filter((one) => one[2] & 1), "switch", away, 16);
    points(tile.trafo, "trafo", 0, STATIONS_FROM);
    const scale = SIDE / EXTENT;
    tile.line.forEach(function (one) {
      let far = Infinity;
      for (let i = 4; i + 3 < one.length; i += 2) {
        far = Math.min(far, toSegment(here, one[i] * scale, one[i + 1] * scale, one[i + 2] * scale, one[i + 3] * scale));
      }
      // Of two lines that are equally near the one of higher voltage is meant.
      if (far <= reach) offer(one, "line", far + (one[2] ? 0 : 2), one[3]);
    });
    return best;
  }

  function toSegment(p, x1, y1, x2, y2) {
    const dx = x2 - x1, dy = y2 - y1, length = dx * dx + dy * dy;
    const t = length ? Math.max(0, Math.min(1, ((p[0] - x1) * dx + (p[1] - y1) * dy) / length)) : 0;
    return Math.hypot(p[0] - x1 - t * dx, p[1] - y1 - t * dy);
  }

  window.PlanTiles = { layer: (address, look) => new Layer(address, look) };
})();
