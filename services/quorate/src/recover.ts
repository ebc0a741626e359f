/**
 * `quorate recover`: after a majority of the disks is lost, makes what one surviving disk holds the beginning of a new
 * ensemble. Offline; says what may be missing. The new history has another id, and an epoch so much higher that no zxid,
 * session id or ETag of the lost one is given out again.
 */
import { randomBytes } from "node:crypto";
import { formatZxid } from "@quorate/api";
import { CorruptionError, nodeWorld, Storage } from "@quorate/replica";
import { recoverSettings } from "./options.ts";
import { readSettings, required, SettingsError } from "./settings.ts";

/** How far above every known epoch the new history begins. */
const epochDistance = 1024;

export async function recover(args: readonly string[]): Promise<void> {
  const values = readSettings(recoverSettings, args, process.env);
  const folder = required(values, "data");
  const { clock, disk } = nodeWorld;
  const { storage, recovered } = await Storage.open({ folder, disk, clock }).catch((error: unknown) => {
    if (!(error instanceof CorruptionError)) throw error;
    throw new SettingsError(
      `${error.message}: this disk is corrupt, nothing of it was moved; recover from another one`,
    );
  });
  const { state, history } = recovered;
  const { protocol } = state;
  if (protocol.standing === "founding" && state.historyId !== "") {
    throw new SettingsError(
      `replica ${state.replicaId} begins the new history ${state.historyId} already: go on with the other members' folders`,
    );
  }
  if (protocol.standing !== "member") {
    throw new SettingsError(
      `replica ${state.replicaId} is ${protocol.standing}, not a member: its disk holds no whole history`,
    );
  }
  const last = history.tail.at(-1)?.last ?? history.applied;
  const acceptedEpoch = protocol.acceptedEpoch + epochDistance;
  const ensembleId = randomBytes(16).toString("hex");
  console.log(`replica ${state.replicaId}, history ${state.historyId}:`);
  console.log(`  kept: everything up to ${formatZxid(last)}; certainly committed up to ${formatZxid(history.applied)}`);
  console.log(
    "  may be missing: writes acknowledged after that by the other replicas, while this one was behind or away",
  );
  console.log(`  may appear: writes up to ${formatZxid(last)} whose clients were told \`unknown\``);
  console.log(`  a new history begins, its epochs above ${acceptedEpoch} (was ${protocol.acceptedEpoch})`);
  if (values["yes"] !== true) {
    console.log("nothing was changed: run it again with --yes");
    await storage.close();
    return;
  }
  // The identity first: killed between the two, it is still a member, and recover can be run again.
  await storage.amend({ historyId: ensembleId, generation: state.generation + 1 });
  await new Promise<void>((resolve, reject) => {
    storage.onWritten = () => resolve();
    storage.onFatal = reject;
    storage.writeState(1, { ...protocol, standing: "founding", ensembleId, acceptedEpoch }, undefined);
  });
  await storage.close();
  console.log(`  the new history is ${ensembleId}`);
  console.log("done. Now empty the data folders of all other members, and start all of them with --initial.");
}
