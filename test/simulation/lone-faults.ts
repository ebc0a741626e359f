/**
 * Faults by which a replica forgets, or lies: it counts as failed until it is synchronized again. Each comes alone, when
 * everybody else serves and holds everything.
 */
import type { Fault, Field } from "./fault-field.ts";
import type { SimReplica } from "./sim-ensemble.ts";

/** What it fsyncs is not durable, and then its power goes. */
function lie(field: Field, victim: SimReplica): void {
  const { time, random, ensemble } = field.host;
  const { disk } = victim.machine;
  victim.excused = /./;
  disk.fault = ({ operation }) => (operation === "sync" || operation === "syncFolder" ? "lie" : "none");
  time.after(random.between(20, 600), () => {
    if (!field.on) return;
    const others = [...ensemble.replicas.values()].filter((each) => each !== victim);
    // Whatever it has counted for lies on all the others' disks before it forgets.
    ensemble.kill(victim.id);
    victim.down = true;
    time.after(300, () => {
      if (!field.on) return;
      const held = others.every((each) => each.serves);
      disk.losePower(held ? random.pick(["lost", "torn"]) : "kept");
      disk.fault = () => "none";
      victim.down = false;
      ensemble.start(victim.id);
      field.over("after a lying disk");
    });
  });
}

function flipOnDisk(field: Field, victim: SimReplica): void {
  const { time, random, ensemble, trace } = field.host;
  const { disk } = victim.machine;
  victim.excused = /./;
  ensemble.kill(victim.id);
  victim.down = true;
  const files = disk.paths().filter((each) => disk.fileSize(each) > 0 && !/lock$|\/corrupt-/.test(each));
  for (let i = random.between(1, 2); i > 0 && files.length > 0; i--) {
    const file = random.pick(files);
    const at = random.below(disk.fileSize(file));
    trace(`flips a bit of ${file} at ${at}`);
    disk.flipBit(file, at, random.below(8));
  }
  time.after(random.between(10, 500), () => {
    if (!field.on) return;
    victim.down = false;
    ensemble.start(victim.id);
    field.over("after a bit flip on disk");
  });
}

/**
 * One bit of a batch that waits to be applied, after it was written or before. The replica applies something else than
 * all others, which it has to notice, and to end itself for it.
 */
function flipInMemory(field: Field, victim: SimReplica): void {
  const { time, random, trace, ensemble } = field.host;
  victim.excused = /./;
  const late = random.chance(0.5);
  victim.tamper = (batches) => {
    const { payload } = random.pick(batches);
    if (payload.length === 0) return;
    victim.tamper = undefined;
    field.host.flipped(victim.id);
    const at = random.below(payload.length);
    const flip = (): void => {
      payload[at] = (payload[at] as number) ^ (1 << random.below(8));
    };
    trace(`flips a bit of ${payload.length} bytes in the memory of replica ${victim.id}`);
    if (late) time.after(0.1, flip);
    else flip();
  };
  time.after(1500, () => {
    victim.tamper = undefined;
    if (!field.on) return;
    // Also a flip that changed no state may lie in the log: it is found at the next start, so that comes now.
    field.whenWhole("after a bit flip in memory", () => {
      ensemble.kill(victim.id);
      ensemble.start(victim.id);
      field.over("after a bit flip in memory and a restart");
    });
  });
}

export const loneFaults: Readonly<Record<string, Fault>> = {
  lyingDisk: lie,
  bitFlipOnDisk: flipOnDisk,
  bitFlipInMemory: flipInMemory,
};
