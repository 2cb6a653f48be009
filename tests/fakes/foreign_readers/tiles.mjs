// Reads vector tiles from standard input (JSON: a list of {z, x, y, body in base64}); prints for each its layers,
// and of each feature what is said of it and where it is, as GeoJSON.
import { VectorTile } from "@mapbox/vector-tile";
import Pbf from "pbf";
import { readFileSync } from "node:fs";

const read = ({ z, x, y, body }) => {
  const { layers } = new VectorTile(new Pbf(Buffer.from(body, "base64")));
  const features = (layer) => Array.from({ length: layer.length }, (_, place) => layer.feature(place).toGeoJSON(x, y, z));
  return Object.fromEntries(Object.entries(layers).map(([name, layer]) => [name, features(layer)]));
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
