// PostGraphile 5 as its documentation sets it up: the Amber preset and the filter plugin, grafserv on Node's own server,
// one process. PostgreSQL's statements are prepared, its default. It prints its port, and ends when its input does.

import { createServer } from "node:http";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { postgraphile } from "postgraphile";
import { jsonPgSmartTags } from "postgraphile/utils";

const { RECORDS, FACILITIES, TRAIL } = process.env; // schemas; the database is in PGHOST, PGUSER, …

// What the tables do not say of themselves, since a fold writes them: whose entries and accesses these are. A document is
// named with its patient: the index begins with her, and by the document alone the whole table would be read.
const tags = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      [`${RECORDS}.document`]: { tags: { unique: "patient_id,document" } },
      [`${FACILITIES}.facility`]: { tags: { name: "facility" } },
      [`${RECORDS}.entry`]: {
        attribute: { to_pos: { tags: { behavior: "+filterBy +attribute:filterBy" } } },  // only what holds now
        tags: {
          foreignKey: [
            `(patient_id, document) references ${RECORDS}.document (patient_id, document)|@fieldName inDocument`,
            `(facility) references ${FACILITIES}.facility (facility)|@fieldName atFacility`,
          ],
        },
      },
      [`${TRAIL}.access`]: {
        tags: {
          name: "access",
          foreignKey: `(facility) references ${FACILITIES}.facility (facility)|@fieldName atFacility`,
        },
      },
    },
  },
});

const served = postgraphile({
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  plugins: [tags],
  pgServices: [makePgService({ poolConfig: {}, schemas: [RECORDS, FACILITIES, TRAIL] })],
  grafast: { explain: false },
  grafserv: { graphiql: false, watch: false, maxRequestLength: 256 * 1024 },
});

if (process.argv[2] === "schema") {
  const { printSchema } = await import("graphql");
  console.log(printSchema((await served.getSchemaResult()).schema));
  process.exit(0);
}
const server = createServer();
await served.createServ(grafserv).addTo(server);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
