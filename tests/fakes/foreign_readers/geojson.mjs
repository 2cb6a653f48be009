// Lints GeoJSON from standard input (JSON: a list of texts); prints for each what is wrong with it.
import geojsonhint from "@mapbox/geojsonhint";
import { readFileSync } from "node:fs";

const lint = (text) => geojsonhint.hint(text, { precisionWarning: true }).map((fault) => fault.message);

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(lint)));
