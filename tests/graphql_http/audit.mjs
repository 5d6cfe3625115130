// Prints the result of each audit as JSON. node audit.mjs URL, with the bearer token in BEARER.
import { serverAudits } from "graphql-http";

const fetchFn = (url, init = {}) =>
  fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${process.env.BEARER}` } });
const results = [];
for (const audit of serverAudits({ url: process.argv[2], fetchFn })) {
  const { status, reason } = await audit.fn();
  results.push({ id: audit.id, name: audit.name, status, reason: reason ?? null });
}
console.log(JSON.stringify(results));
