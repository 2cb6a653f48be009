// Holds documents from standard input (JSON: {schema, documents}) against a JSON Schema; prints the faults of each.
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { readFileSync } from "node:fs";

const { schema, documents } = JSON.parse(readFileSync(0, "utf8"));
const ajv = new Ajv({ allErrors: true });
addFormats(ajv);
const valid = ajv.compile(schema);
const faults = (document) =>
  valid(document) ? [] : valid.errors.map((fault) => `${fault.instancePath} ${fault.message}`);

console.log(JSON.stringify(documents.map(faults)));
