/** TERM and INT, heard from the first moment: a process that is told to stop while it starts ends as quietly. */
export type Stop = () => Promise<void>;

/** Answers how to say what stopping takes once there is something to stop. */
export function stopOnSignals(): (stop: Stop) => void {
  let stop: Stop | undefined;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      if (stop) void stop();
      else process.exit(0);
    });
  }
  return (started) => {
    stop = started;
  };
}
