/** Sequential creation under one parent: appending with names of one's own, listing, removing. */
import { parseZxid } from "@quorate/api";
import type { Operation, SequenceCall, SequenceResult } from "../linearizability/index.ts";
import type { Hands, Request, Said } from "./hand.ts";
import { answerOf, type Numbers, type SharedObject, timesOf } from "./shared-object.ts";

/** A listing has one page. */
const pageNames = 10_000;

export class SequenceObject implements SharedObject {
  readonly name: string;
  readonly #hands: Hands;
  readonly #numbers: Numbers;
  readonly #operations: Operation[] = [];
  readonly #names: string[] = [];
  #last = 0;

  constructor(name: string, hands: Hands, numbers: Numbers) {
    this.name = name;
    this.#hands = hands;
    this.#numbers = numbers;
  }

  async open(going: () => boolean): Promise<void> {
    await this.#hands.insist({ method: "PUT", target: `/v1/znodes${this.name}?parents=true`, body: "" }, going);
  }

  async step(process: number): Promise<void> {
    const { random } = this.#hands;
    const id = this.#numbers.next();
    const kind = random.below(100);
    const name = kind >= 85 ? this.#names.splice(random.below(this.#names.length + 1), 1)[0] : undefined;
    if (name !== undefined) await this.#do(process, id, { kind: "remove", name });
    else if (kind < 60) await this.#do(process, id, { kind: "append", prefix: `item-${id}-` });
    else await this.#do(process, id, { kind: "list" });
  }

  /** The last word is a listing: what is there when all is over. */
  async close(): Promise<Operation[]> {
    await this.#do(this.#last, this.#numbers.next(), { kind: "list" });
    return this.#operations;
  }

  async clear(going: () => boolean): Promise<void> {
    await this.#hands.insist({ method: "DELETE", target: `/v1/znodes${this.name}?recursive=true` }, going);
  }

  async #do(process: number, id: number, call: SequenceCall): Promise<void> {
    this.#last = process;
    const request = this.#request(call);
    const keyed = call.kind !== "list" && this.#hands.random.chance(0.3);
    const key = `${this.name.replaceAll("/", "-")}-${id}`;
    const said = await this.#hands.send(keyed ? { ...request, key } : request);
    const answer = answerOf(said, () => this.#result(call, said));
    this.#operations.push({ id, process, model: "sequence", object: this.name, ...timesOf(said), call, answer });
  }

  #request(call: SequenceCall): Request {
    switch (call.kind) {
      case "append":
        return { method: "POST", target: `/v1/znodes${this.name}?prefix=${call.prefix}`, body: "" };
      case "list":
        return { method: "GET", target: `/v1/children${this.name}?limit=${pageNames}`, isRead: true };
      case "remove":
        return { method: "DELETE", target: `/v1/znodes${this.name}/${call.name}` };
    }
  }

  #result(call: SequenceCall, { json }: Said): SequenceResult {
    switch (call.kind) {
      case "append": {
        const name = (json.path as string).slice(this.name.length + 1);
        this.#names.push(name);
        const czxid = parseZxid(json.stat.czxid);
        return { kind: "append", name, ...(czxid === undefined ? {} : { czxid }) };
      }
      case "list": {
        if (json === null) {
          this.#hands.tally.violate(`${this.name} was made and acknowledged, and is not there`);
          return { kind: "list", names: [] };
        }
        if (json.continue !== undefined) throw new Error(`${this.name} has more than ${pageNames} children`);
        return { kind: "list", names: (json.children as { name: string }[]).map((each) => each.name) };
      }
      case "remove": {
        const at = parseZxid(json.zxid);
        return { kind: "remove", ...(at === undefined ? {} : { at }) };
      }
    }
  }
}
