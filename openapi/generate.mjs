/** Makes `src/gen` from `coordination.yaml`: the types, and the document as JSON. `--out DIR` writes elsewhere. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import openapiTypescript, { astToString } from "openapi-typescript";
import { parse } from "yaml";

const here = fileURLToPath(new URL(".", import.meta.url));
const at = process.argv.indexOf("--out");
const out = at < 0 ? join(here, "src/gen") : process.argv[at + 1];
const document = parse(readFileSync(join(here, "coordination.yaml"), "utf8"));
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "coordination.json"), `${JSON.stringify(document)}\n`);
const types = astToString(await openapiTypescript(document));
writeFileSync(
  join(out, "coordination.ts"),
  `/** Made from coordination.yaml by \`npm run generate\`; not written by hand. */\n${types}`,
);
