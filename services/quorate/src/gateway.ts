/** `quorate gateway`: a stateless gateway alone. */
import { createDial, createNodeWorld } from "@quorate/gateway";
import { parseHostPort } from "@quorate/proto";
import { makeBudget, readDescriptors } from "./descriptors.ts";
import { startDoor } from "./door.ts";
import { createLog } from "./log.ts";
import { gatewaySettings, parseList, readKey, requireKey, version } from "./options.ts";
import { formatSettings, readSettings, required, SettingsError } from "./settings.ts";
import { stopOnSignals } from "./signals.ts";

export async function gateway(args: readonly string[]): Promise<void> {
  const values = readSettings(gatewaySettings, args, process.env);
  const name = required(values, "name");
  const replicas = parseList(required(values, "replicas"));
  for (const each of replicas) {
    if (!parseHostPort(each))
      throw new SettingsError(`--replicas has ${JSON.stringify(each)}: write HOST:PORT,HOST:PORT,…`);
  }
  const key = readKey(values);
  requireKey(replicas, key);
  const log = createLog(name);
  log(`starts (version ${version}) with\n${formatSettings(gatewaySettings, values)}`);
  const descriptors = readDescriptors("gateway");
  const started = stopOnSignals();
  const world = createNodeWorld();
  const dial = createDial({ world, name, version, ...key });
  const door = await startDoor({
    values,
    log,
    world,
    replicas,
    dial,
    home: "leader",
    name,
    sockets: makeBudget(descriptors, values, () => world.now(), log),
    metrics: () => "",
    facts: {},
    checks: () => [],
  });
  started(async () => {
    log("stops");
    await door.stop();
    process.exit(0);
  });
}
