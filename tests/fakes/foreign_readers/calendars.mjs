// Reads calendars from standard input (JSON: a list of texts) by two engines; prints for each calendar and engine
// the uid with start and end of every event in milliseconds since 1970.
import ICAL from "ical.js";
import nodeIcal from "node-ical";
import { readFileSync } from "node:fs";

const byIcal = (text) =>
  new ICAL.Component(ICAL.parse(text)).getAllSubcomponents("vevent").map((one) => {
    const event = new ICAL.Event(one);
    return [event.uid, event.startDate.toJSDate().getTime(), event.endDate.toJSDate().getTime()];
  });
const byNode = (text) =>
  Object.values(nodeIcal.sync.parseICS(text))
    .filter((one) => one.type === "VEVENT")
    .map((one) => [one.uid, one.start.getTime(), one.end.getTime()]);

const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => ({ "ical.js": byIcal(text), "node-ical": byNode(text) }))));
