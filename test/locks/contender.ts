/** One of those who contend, as a process of its own: it can be stopped, cut off and killed like any client. */
import { SeededRandom } from "../simulation/random.ts";
import { type ContenderPlan, type FromContender, noCounts, type ToContender } from "./contender-messages.ts";
import { closeSession, openSession } from "./rest-locks.ts";
import { pause, Turn, type TurnPorts } from "./turn.ts";

const counts = noCounts();
const countsMillis = 1000;
let session: string | undefined;
let isFinishing = false;
let waitsInMidst = false;
let goOn: (() => void) | undefined;

function tell(message: FromContender): void {
  if (process.connected) process.send?.(message);
}

/** One for many turns, made anew when it is over. */
async function ownSession(plan: ContenderPlan, random: SeededRandom): Promise<string> {
  while (session === undefined) {
    session = await openSession(random.pick(plan.doors), plan.sessionMillis, plan.name);
    if (session === undefined) await pause(random.between(50, 300));
    else {
      counts.sessions += 1;
      tell({ kind: "session", id: session.split(":")[0] ?? "" });
    }
  }
  return session;
}

async function midst(): Promise<void> {
  if (!waitsInMidst || isFinishing) return;
  waitsInMidst = false;
  const told = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  tell({ kind: "midst" });
  await told;
}

async function contend(plan: ContenderPlan): Promise<void> {
  const random = new SeededRandom(plan.seed);
  const over = (ended: string): void => {
    if (session === ended) session = undefined;
  };
  const ports: TurnPorts = { plan, random, counts, tell, midst, over };
  const turn = async (lock: ContenderPlan["locks"][number], insists: boolean): Promise<boolean> => {
    // Half of them let the lock open one for them.
    const shown = random.chance(0.5) ? await ownSession(plan, random) : undefined;
    return new Turn(ports, lock, shown).play(insists);
  };
  while (!isFinishing) {
    await turn(random.pick(plan.locks), false);
    await pause(random.below(40));
  }
  for (const lock of plan.locks) while (!(await turn(lock, true))) await pause(50);
  if (session !== undefined) await closeSession(random.pick(plan.doors), session);
  tell({ kind: "counts", counts });
  tell({ kind: "done" });
  process.disconnect?.();
}

process.on("message", (message: ToContender) => {
  if (message.kind === "begin") {
    setInterval(() => tell({ kind: "counts", counts }), countsMillis).unref();
    void contend(message.plan);
  } else if (message.kind === "wait in midst") waitsInMidst = true;
  else if (message.kind === "go on") {
    waitsInMidst = false;
    goOn?.();
  } else isFinishing = true;
});
process.on("disconnect", () => process.exit(0));
