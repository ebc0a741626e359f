/** `quorate serve`: one member of the ensemble, with a gateway embedded. */
import { createDial, createNodeWorld } from "@quorate/gateway";
import { listenFault, StreamServer } from "@quorate/proto";
import { Gateways, nodeWorld, Peers, Replica, Storage } from "@quorate/replica";
import { startDoor } from "./door.ts";
import { createLocalDial } from "./local-dial.ts";
import { createLog } from "./log.ts";
import { listenAddress, parseMembers, readKey, requireKey, serveSettings, version } from "./options.ts";
import { formatSettings, numberOf, readSettings, required, SettingsError, textOf } from "./settings.ts";
import { SiblingCheck, siblingLimits } from "./sibling-check.ts";

export async function serve(args: readonly string[]): Promise<void> {
  const values = readSettings(serveSettings, args, process.env);
  const id = numberOf(values, "id");
  const members = parseMembers(required(values, "members"));
  const folder = required(values, "data");
  const own = members.get(id);
  if (own === undefined) throw new SettingsError(`--members does not name this replica, ${id}`);
  const key = readKey(values);
  const address = listenAddress(own, textOf(values, "peer-host"));
  const fault = listenFault(address, key.key !== undefined);
  if (fault !== undefined) throw new SettingsError(fault);
  requireKey([...members.values()], key);
  const log = createLog(`replica ${id}`);
  log(`starts (version ${version}) with\n${formatSettings(serveSettings, values)}`);
  const fatal = (why: string): void => {
    log(`stops: ${why}`);
    process.exit(1);
  };
  const { clock, random, disk } = nodeWorld;
  const { storage, recovered } = await Storage.open({
    folder,
    disk,
    clock,
    limits: { segmentBytes: numberOf(values, "segment-bytes"), reserveBytes: numberOf(values, "disk-reserve-bytes") },
    create: { replicaId: id, standing: values["initial"] ? "founding" : "joining" },
  });
  for (const each of recovered.notes) log(each);
  if (recovered.setAside !== undefined)
    log(`corrupt files were moved to ${recovered.setAside}: this replica joins anew`);
  const hello = () => {
    const { protocol, historyId } = storage.state;
    const { ensembleId } = protocol;
    return { name: `replica ${id}`, ensembleId, historyId, version, rules: 1, address: own };
  };
  const server = new StreamServer({ address, keyed: key.key !== undefined, timers: clock, log });
  let links: Peers | undefined;
  const replica = await Replica.start({
    id,
    members: [...members.keys()],
    world: nodeWorld,
    storage,
    recovered,
    peers: (events) => (links = new Peers({ self: id, members, ...key, hello, clock, random, log }, events)),
    address: own,
    version,
    timing: { electionMillis: numberOf(values, "election-timeout") },
    snapshotLogBytes: numberOf(values, "snapshot-log-bytes"),
    log,
    onFatal: fatal,
  });
  const peers = links as Peers | undefined;
  if (!peers) throw new Error("the replica made no links");
  const helloToGateways = () => ({ protocol: 1, kind: "peer" as const, id, ...hello() });
  const gateways = new Gateways({ ...key, hello: helloToGateways, clock, random, log }, replica);
  peers.attachTo(server);
  gateways.attachTo(server);
  await server.listen();
  peers.start();
  log(`peer port ${address}`);
  const siblings = new SiblingCheck(() => clock.now(), () => replica.memberStatuses());
  const looking = clock.every(siblingLimits.lookMillis, () => siblings.look());
  const world = createNodeWorld();
  const remote = createDial({ world, name: `replica ${id}`, version, ...key });
  const door = await startDoor({
    values,
    log,
    world,
    replicas: [own],
    dial: createLocalDial(own, `replica ${id}`, replica, remote),
    home: "local",
    name: `replica ${id}`,
    metrics: () => replica.metrics(),
    checks: () => [siblings.check()],
  });
  const stop = async (): Promise<void> => {
    log("stops");
    await door.stop();
    looking.cancel();
    replica.stop();
    peers.stop();
    gateways.stop();
    await server.stop();
    await storage.close();
    process.exit(0);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => void stop());
}
