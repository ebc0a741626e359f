/** CPU that processes have used, as the system tells it. */
import { readFileSync } from "node:fs";

/** utime and stime of /proc/PID/stat, in seconds; they come in hundredths. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
