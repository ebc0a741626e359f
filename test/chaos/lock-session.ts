/** A client's session beside a lock: opened once, renewed in the background until it is left alone, closed or told that it is over. */
import { parseZxid } from "@quorate/api";
import type { Answer, Operation, SessionCall, SessionResult, ZxidNumber } from "../linearizability/index.ts";
import { type Hands, pause, type Request, type Said } from "./hand.ts";
import { answerOf, type Numbers, timesOf } from "./shared-object.ts";

export class LockSession {
  /** Drawn before it is opened, so that one whose opening was not answered has a name, too. */
  readonly name: string;
  readonly timeoutMillis: number;
  id: ZxidNumber = 0;
  header = "";
  isOver = false;
  readonly #process: number;
  readonly #hands: Hands;
  readonly #numbers: Numbers;
  readonly #record: (operation: Operation) => void;
  #text = "";
  #renewing = Promise.resolve();
  #renews = false;

  constructor(name: string, process: number, hands: Hands, numbers: Numbers, record: (operation: Operation) => void) {
    this.name = name;
    this.#process = process;
    this.#hands = hands;
    this.#numbers = numbers;
    this.#record = record;
    this.timeoutMillis = hands.random.pick([1000, 2000, 4000]);
  }

  /** False: nobody knows whether it is there; nothing is ever done with it. */
  async open(): Promise<boolean> {
    const timeout = `${this.timeoutMillis}ms`;
    const body = JSON.stringify({ timeout, name: this.name });
    const headers = { "Content-Type": "application/json" };
    const said = await this.#hands.send({ method: "POST", target: "/v1/sessions", headers, body });
    const call: SessionCall = { kind: "open", timeoutMillis: this.timeoutMillis };
    this.#note(
      call,
      said,
      answerOf(said, ({ json }) => {
        this.#text = json.id;
        this.id = parseZxid(json.id) ?? 0;
        this.header = `${json.id}:${json.secret}`;
        return { kind: "session", id: this.id };
      }),
    );
    if (said.verdict !== "ok") return false;
    this.#renews = true;
    this.#renewing = this.#renew();
    return true;
  }

  /** Renews no more: it shall expire by itself. What is under way is waited for. */
  async leave(): Promise<void> {
    this.#renews = false;
    this.isOver = true;
    await this.#renewing;
  }

  async close(): Promise<void> {
    await this.leave();
    const said = await this.#hands.send(this.#request("DELETE", ""));
    this.#note(
      { kind: "close" },
      said,
      answerOf(said, () => ({ kind: "session" })),
    );
  }

  async #renew(): Promise<void> {
    while (this.#renews) {
      await pause(this.timeoutMillis / 4);
      if (!this.#renews) return;
      const said = await this.#hands.send({ ...this.#request("POST", "/renew"), timeoutMillis: 800 });
      this.#note(
        { kind: "renew" },
        said,
        answerOf(said, () => ({ kind: "session" })),
      );
      if (said.code === "sessionExpired") {
        this.isOver = true;
        return;
      }
    }
  }

  #request(method: Request["method"], more: string): Request {
    return { method, target: `/v1/sessions/${this.#text}${more}`, headers: { "Quorate-Session": this.header } };
  }

  #note(call: SessionCall, said: Said, answer: Answer<SessionResult>): void {
    const id = this.#numbers.next();
    const process = this.#process;
    this.#record({ id, process, model: "session", object: this.name, ...timesOf(said), call, answer });
  }
}
