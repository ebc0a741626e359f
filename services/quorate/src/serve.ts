/** `quorate serve`: one member of the ensemble, with a gateway embedded. */
import type { ReplicaId } from "@quorate/api";
import { createDial, createNodeWorld } from "@quorate/gateway";
import { listenFault, StreamServer } from "@quorate/proto";
import { Gateways, heldFault, nodeWorld, Peers, type PeersEvents, Replica, Storage } from "@quorate/replica";
import { rulesVersion } from "@quorate/tree";
import { type Descriptors, makeBudget, readDescriptors } from "./descriptors.ts";
import { type Door, startDoor } from "./door.ts";
import { createLocalDial } from "./local-dial.ts";
import { createLog, type Log } from "./log.ts";
import { listenAddress, parseMembers, readKey, requireKey, serveSettings, version } from "./options.ts";
import { bytesOf } from "./process-facts.ts";
import { formatSettings, numberOf, readSettings, required, SettingsError, textOf, type Values } from "./settings.ts";
import { SiblingCheck, siblingLimits } from "./sibling-check.ts";
import { stopOnSignals } from "./signals.ts";

/** Who this replica is, as its settings say. */
interface Identity {
  readonly values: Values;
  readonly id: ReplicaId;
  readonly members: ReadonlyMap<ReplicaId, string>;
  /** Its own entry among the members. */
  readonly own: string;
  /** What the peer port listens on. */
  readonly address: string;
  readonly key: ReturnType<typeof readKey>;
  readonly descriptors: Descriptors;
  readonly log: Log;
}

/** The replica with its links, listening. */
interface Member {
  readonly replica: Replica;
  stop(): Promise<void>;
}

export async function serve(args: readonly string[]): Promise<void> {
  const identity = readIdentity(readSettings(serveSettings, args, process.env));
  const { values, log } = identity;
  log(`starts (version ${version}) with\n${formatSettings(serveSettings, values)}`);
  const started = stopOnSignals();
  const member = await startMember(identity);
  const { clock } = nodeWorld;
  const siblings = new SiblingCheck(
    () => clock.now(),
    () => member.replica.memberStatuses(),
  );
  const looking = clock.every(siblingLimits.lookMillis, () => siblings.look());
  const door = await startOwnDoor(identity, member.replica, siblings);
  started(async () => {
    log("stops");
    await door.stop();
    looking.cancel();
    await member.stop();
    process.exit(0);
  });
}

function readIdentity(values: Values): Identity {
  const id = numberOf(values, "id");
  const members = parseMembers(required(values, "members"));
  required(values, "data");
  const own = members.get(id);
  if (own === undefined) throw new SettingsError(`--members does not name this replica, ${id}`);
  const key = readKey(values);
  const address = listenAddress(own, textOf(values, "peer-host"));
  const fault = listenFault(address, key.key !== undefined);
  if (fault !== undefined) throw new SettingsError(fault);
  requireKey([...members.values()], key);
  const descriptors = readDescriptors("replica");
  return { values, id, members, own, address, key, descriptors, log: createLog(`replica ${id}`) };
}

async function openStorage({ values, id, log }: Identity): Promise<Awaited<ReturnType<typeof Storage.open>>> {
  const { clock, disk } = nodeWorld;
  const opened = await Storage.open({
    folder: required(values, "data"),
    disk,
    clock,
    limits: { segmentBytes: numberOf(values, "segment-bytes"), reserveBytes: numberOf(values, "disk-reserve-bytes") },
    create: { replicaId: id, standing: values["initial"] ? "founding" : "joining" },
  });
  const { notes, setAside } = opened.recovered;
  for (const each of notes) log(each);
  if (setAside !== undefined) log(`corrupt files were moved to ${setAside}: this replica joins anew`);
  return opened;
}

async function startMember(identity: Identity): Promise<Member> {
  const { values, id, members, own, address, key, log } = identity;
  const { storage, recovered } = await openStorage(identity);
  const { clock, random } = nodeWorld;
  const hello = () => {
    const { protocol, historyId } = storage.state;
    const { ensembleId } = protocol;
    const held = replica.rules();
    return { name: `replica ${id}`, ensembleId, historyId, version, rules: rulesVersion, held, address: own };
  };
  const stops = (why: string): void => {
    log(`stops: ${why}`);
    process.exit(1);
  };
  let links: Peers | undefined;
  const replica = await Replica.start({
    id,
    members: [...members.keys()],
    world: nodeWorld,
    storage,
    recovered,
    peers: (events) =>
      (links = new Peers({ self: id, members, ...key, hello, clock, random, log }, firstJudged(events, stops))),
    address: own,
    version,
    timing: { electionMillis: numberOf(values, "election-timeout") },
    snapshotLogBytes: numberOf(values, "snapshot-log-bytes"),
    log,
    onFatal: stops,
  });
  const peers = links as Peers | undefined;
  if (!peers) throw new Error("the replica made no links");
  const helloToGateways = () => ({ protocol: 1, kind: "peer" as const, id, ...hello() });
  const gateways = new Gateways({ ...key, hello: helloToGateways, clock, random, log }, replica);
  const { peers: connections } = identity.descriptors;
  const server = new StreamServer({ address, keyed: key.key !== undefined, timers: clock, connections, log });
  peers.attachTo(server);
  gateways.attachTo(server);
  await server.listen();
  peers.start();
  log(`peer port ${address}`);
  const stop = async (): Promise<void> => {
    replica.stop();
    await Promise.all([peers.stop(), gateways.stop()]);
    await server.stop();
    await storage.close();
  };
  return { replica, stop };
}

/** Nothing is said to a member, nor heard of it, that applies by rules that this program does not know. */
function firstJudged(events: PeersEvents, stops: (why: string) => void): PeersEvents {
  return {
    ...events,
    linkUp: (link, peer, hello) => {
      const fault = heldFault(hello);
      if (fault === undefined) events.linkUp(link, peer, hello);
      else stops(fault);
    },
  };
}

/** The gateway embedded in this replica. */
function startOwnDoor(
  { values, id, own, key, descriptors, log }: Identity,
  replica: Replica,
  siblings: SiblingCheck,
): Promise<Door> {
  const world = createNodeWorld(true);
  const name = `replica ${id}`;
  const remote = createDial({ world, name, version, ...key });
  const data = required(values, "data");
  return startDoor({
    values,
    log,
    world,
    replicas: [own],
    dial: createLocalDial(own, name, replica, remote, (run) => world.next(run)),
    home: "local",
    name,
    sockets: makeBudget(descriptors, values, () => world.now(), log),
    metrics: () => replica.metrics(),
    facts: { self: id, replica: () => replica.figures(), dataFolder: { path: data, bytes: () => bytesOf(data) } },
    checks: () => [siblings.check()],
  });
}
