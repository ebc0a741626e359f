/** Faults that may come at any time, together, and to everybody: what is promised holds through them. */

import { decodeRecord } from "../../services/replica/src/record.ts";
import { segmentHeaderBytes } from "../../services/replica/src/segment.ts";
import type { Fault, Field } from "./fault-field.ts";
import type { PowerLoss } from "./faulty-disk.ts";
import { identityOf } from "./observation.ts";
import type { SimReplica } from "./sim-ensemble.ts";

const losses: readonly PowerLoss[] = ["lost", "kept", "torn"];

function kill(field: Field, victim: SimReplica): void {
  field.host.ensemble.kill(victim.id);
  field.startLater(victim);
}

function losePower(field: Field, victim: SimReplica): void {
  field.host.ensemble.kill(victim.id, field.host.random.pick(losses));
  field.startLater(victim);
}

function loseAllPower(field: Field): void {
  const { ensemble, random } = field.host;
  const loss = random.pick(losses);
  const share = random.pick([0.6, 0.85, 1]);
  for (const each of ensemble.replicas.values()) {
    if (!random.chance(share)) continue;
    ensemble.kill(each.id, random.chance(0.7) ? loss : random.pick(losses));
    field.startLater(each, 800);
  }
}

/** The power goes at one of the next steps of the disk, whatever it is, or before a state file takes its place. */
function crashAtStep(field: Field, victim: SimReplica): void {
  const { random, time, ensemble } = field.host;
  const { disk } = victim.machine;
  const renames = random.chance(0.4);
  let left = random.between(1, renames ? 6 : 30);
  const loss = random.pick(losses);
  disk.fault = ({ operation }) => {
    if (!renames || operation === "rename") left -= 1;
    if (left > 0) return "none";
    disk.fault = () => "none";
    time.after(0, () => {
      ensemble.kill(victim.id, loss);
      if (!victim.down) field.startLater(victim);
    });
    return "crash";
  };
  field.later(2000, 4000, () => {
    disk.fault = () => "none";
  });
}

function pause(field: Field, victim: SimReplica): void {
  victim.machine.pause();
  field.later(30, field.host.random.pick([300, 1500, 5000]), () => victim.machine.resume());
}

function heal(field: Field, low: number, high: number): void {
  field.later(low, high, () => field.host.ensemble.network.open());
}

function isolate(field: Field, victim: SimReplica): void {
  const { network, replicas } = field.host.ensemble;
  for (const each of replicas.values()) {
    network.shut(victim.machine, each.machine);
    network.shut(each.machine, victim.machine);
  }
  heal(field, 200, 4000);
}

/**
 * The others lose it at once, it notices late: when it leads, it believes so while another is elected, and gateways reach
 * them both.
 */
function depose(field: Field, victim: SimReplica): void {
  const { ensemble, random } = field.host;
  const { network } = ensemble;
  for (const each of ensemble.replicas.values()) {
    network.shut(victim.machine, each.machine);
    network.shut(each.machine, victim.machine);
    network.breakBetween(victim.machine, each.machine, random.between(100, 3000));
  }
  heal(field, 300, 4000);
}

/** Two sides, gateways on both. */
function split(field: Field): void {
  const { ensemble, random } = field.host;
  const { network } = ensemble;
  const machines = new Set([...ensemble.replicas.values(), ...ensemble.gateways].map((each) => each.machine));
  const left = new Set([...machines].filter(() => random.chance(0.45)));
  for (const a of machines) for (const b of machines) if (left.has(a) !== left.has(b)) network.shut(a, b);
  heal(field, 200, 4000);
}

function oneWay(field: Field, victim: SimReplica): void {
  const { ensemble, random } = field.host;
  const { network } = ensemble;
  const away = random.chance(0.5);
  const share = random.pick([0.5, 1]);
  for (const each of ensemble.replicas.values()) {
    if (!random.chance(share)) continue;
    if (away) network.shut(victim.machine, each.machine);
    else network.shut(each.machine, victim.machine);
  }
  heal(field, 100, 3000);
}

function breakWires(field: Field): void {
  const { ensemble, random } = field.host;
  for (let i = random.between(1, 4); i > 0; i--) ensemble.network.breakOne();
}

function slowNetwork(field: Field, victim: SimReplica): void {
  const { ensemble, random } = field.host;
  const { network } = ensemble;
  const all = random.chance(0.5);
  if (all) network.slowness = random.pick([10, 40, 150]);
  else network.slow.set(victim.machine, random.pick([20, 100, 400]));
  network.loss = random.chance(0.5) ? 0.05 : 0;
  field.later(500, 4000, () => {
    network.slowness = 2;
    network.loss = 0;
    network.slow.clear();
  });
}

function slowDisk(field: Field, victim: SimReplica): void {
  const { pace } = victim.machine;
  pace.syncMillis = field.host.random.pick([20, 80, 300]);
  field.later(300, 4000, () => {
    pace.syncMillis = 3;
  });
}

/** Fsyncs begin and do not end, for a while. */
function hang(field: Field, victim: SimReplica): void {
  const { disk } = victim.machine;
  disk.fault = ({ operation }) => (operation === "sync" ? "hang" : "none");
  field.later(100, 4000, () => {
    disk.fault = () => "none";
    disk.resume();
  });
}

/** One fsync or write fails: the process ends itself; later, perhaps, the power goes too. */
function failDisk(field: Field, victim: SimReplica): void {
  const { random } = field.host;
  const { disk } = victim.machine;
  const operation = random.pick(["sync", "sync", "write", "syncFolder", "rename"] as const);
  disk.fault = (step) => {
    if (step.operation !== operation) return "none";
    disk.fault = () => "none";
    return "EIO";
  };
  if (random.chance(0.5)) field.later(200, 1500, () => losePower(field, victim));
}

function fillDisk(field: Field, victim: SimReplica): void {
  const { random } = field.host;
  const { disk } = victim.machine;
  disk.capacity = disk.used + random.between(0, 90_000);
  field.later(500, 4000, () => {
    disk.capacity = Number.POSITIVE_INFINITY;
  });
}

function jumpClock(field: Field, victim: SimReplica): void {
  const { random } = field.host;
  victim.machine.jump(random.pick([-1, 1]) * random.pick([500, 60_000, 86_400_000]));
}

function handOver(field: Field, target: SimReplica): void {
  const { ensemble, random } = field.host;
  const gateway = random.pick(ensemble.gateways);
  const { machine } = gateway;
  machine.arrive(() => void gateway.backend?.handOver(target.id, 1000));
}

function killGateway(field: Field): void {
  const { ensemble, random } = field.host;
  const gateway = random.pick(ensemble.gateways.filter((each) => each.number < 100));
  ensemble.killGateway(gateway);
  field.later(50, 1500, () => ensemble.startGateway(gateway));
}

function pauseGateway(field: Field): void {
  const { machine } = field.host.random.pick(field.host.ensemble.gateways.filter((each) => each.number < 100));
  machine.pause();
  field.later(50, 4000, () => machine.resume());
}

/** Somebody with the right to it closes sessions, of gateways too: a lane ends while it is in use. */
function closeSession(field: Field, victim: SimReplica): boolean {
  const { ensemble, random, town } = field.host;
  const sessions = [...(victim.tree?.sessions() ?? [])];
  if (sessions.length === 0) return false;
  const operation = { kind: "closeSession", session: random.pick(sessions).id } as const;
  const request = town.nextRequest();
  const identity = { ...identityOf(request), superUser: true };
  const what = { request, client: 0, kind: "write", write: { identity, operation } } as const;
  town.ask(random.pick(ensemble.gateways), what, 2000, () => {});
  return true;
}

/** Nobody asks anything for a while; then all lose their power: snapshots may be all that there is. */
function rest(field: Field): void {
  const { town, time } = field.host;
  town.quietUntil = time.now + 1200;
  field.later(500, 1000, () => loseAllPower(field));
}

/** Counts as failed until it is synchronized: never more than a minority at once. */
function emptyDisk(field: Field, victim: SimReplica): boolean {
  const { ensemble } = field.host;
  if (!mayForget(field, victim)) return false;
  ensemble.kill(victim.id, "lost");
  victim.machine.disk.wipe();
  victim.initial = field.host.random.chance(0.5);
  victim.born = false;
  field.startLater(victim, 1500);
  followUp(field, victim);
  return true;
}

/** Trouble comes in pairs: the power goes again while it is synchronized, or soon after. */
function followUp(field: Field, victim: SimReplica): void {
  const { random } = field.host;
  if (random.chance(0.4)) return;
  const crash = random.chance(0.5) ? crashAtStep : losePower;
  field.later(50, 2200, () => victim.machine.alive && crash(field, victim));
}

/**
 * A bit of what the log itself knows to have been durable: it is found at the next start, and the folder is set aside. Then
 * the disk is as good as empty, so never more than a minority at once.
 */
function flipInLog(field: Field, victim: SimReplica): boolean {
  const { ensemble, random, trace } = field.host;
  const { disk } = victim.machine;
  const log = disk.paths().findLast((path) => path.includes("/log."));
  const fence = log === undefined ? 0 : lastFence(disk.peek(log));
  if (log === undefined || fence <= segmentHeaderBytes || !mayForget(field, victim)) return false;
  ensemble.kill(victim.id, "kept");
  field.startLater(victim, 800);
  const at = random.between(segmentHeaderBytes, fence - 1);
  trace(`flips a bit of ${log} at ${at}`);
  disk.flipBit(log, at, random.below(8));
  victim.flipped = true;
  victim.born = false;
  followUp(field, victim);
  return true;
}

/** Up to where the last good record of a segment knows it to be durable. */
function lastFence(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let fence = 0;
  for (let at = segmentHeaderBytes; at < bytes.length; ) {
    const record = decodeRecord(bytes, view, at);
    if (typeof record === "string") break;
    fence = record.fence;
    at = record.next;
  }
  return fence;
}

/** Of those who have an empty disk, or had one and are not members again, there is never more than a minority. */
function mayForget({ host: { ensemble } }: Field, victim: SimReplica): boolean {
  const all = [...ensemble.replicas.values()];
  return victim.born && all.filter((each) => !each.born).length < Math.floor((all.length - 1) / 2);
}

/** Each may come at any time, to anybody. */
export const commonFaults: Readonly<Record<string, Fault>> = {
  kill,
  powerLoss: losePower,
  powerLossOfAll: loseAllPower,
  crashAtDiskStep: crashAtStep,
  pause,
  isolate,
  deposed: depose,
  split,
  oneWay,
  breakWire: breakWires,
  slowNetwork,
  slowDisk,
  hangingDisk: hang,
  failingDisk: failDisk,
  fullDisk: fillDisk,
  clockJump: jumpClock,
  handOver,
  gatewayKill: killGateway,
  gatewayPause: pauseGateway,
  rest,
  emptyDisk,
  bitFlipInLog: flipInLog,
  sessionClosed: closeSession,
};
