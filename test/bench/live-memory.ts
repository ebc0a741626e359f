/**
 * What a running Node process holds after a full collection: opens its inspector (SIGUSR1), asks V8 to collect, and asks
 * for its memory. The program itself needs no door for that.
 */
import { type Process, until } from "../integration/ensemble.ts";

/** Where Node opens the inspector of a process that gets SIGUSR1. */
const inspector = "http://127.0.0.1:9229";

interface Memory {
  /** Heap and buffers, bytes. */
  readonly live: number;
  readonly resident: number;
}

export async function liveMemory(process: Process): Promise<Memory> {
  process.signal("SIGUSR1");
  let url = "";
  await until(
    async () => {
      const targets = (await (await fetch(`${inspector}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
      url = targets[0]?.webSocketDebuggerUrl ?? "";
      return url !== "";
    },
    10_000,
    "the inspector is open",
  );
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  let id = 0;
  const ask = (method: string, params: object): Promise<{ result?: { value?: string } }> =>
    new Promise((resolve) => {
      const number = ++id;
      const heard = (event: MessageEvent): void => {
        const message = JSON.parse(String(event.data)) as { id?: number; result?: object };
        if (message.id !== number) return;
        socket.removeEventListener("message", heard);
        resolve(message.result ?? {});
      };
      socket.addEventListener("message", heard);
      socket.send(JSON.stringify({ id: number, method, params }));
    });
  await ask("HeapProfiler.collectGarbage", {});
  await ask("HeapProfiler.collectGarbage", {});
  const answer = await ask("Runtime.evaluate", { expression: "JSON.stringify(process.memoryUsage())" });
  socket.close();
  const usage = JSON.parse(answer.result?.value ?? "{}") as NodeJS.MemoryUsage;
  return { live: usage.heapUsed + usage.external, resident: usage.rss };
}
