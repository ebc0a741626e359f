/** One line for each thing worth telling, with its time. */
export type Log = (text: string) => void;

export function createLog(who: string): Log {
  return (text) => process.stdout.write(`${new Date().toISOString()} ${who}: ${text.trim()}\n`);
}
