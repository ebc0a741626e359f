/**
 * DESIGN 6: "the certainty of an answer is that of all tries together: `noEffect` only if no try left this process, or
 * the replicated memory says so"; API.md section 1, Retries.
 *
 * Checked: a try that was answered `unavailable` with certainty `noEffect`, or with a failure as its outcome, executes
 * nothing, before the answer or ever after: a request is executed at most as often as it has tries that were not so
 * answered. Looked at with each such answer and with each execution.
 */
import { errors, formatZxid } from "@quorate/api";
import { type Answered, type AppliedBatch, type Asked, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";

interface Request {
  tries: number;
  noEffect: number;
  executed: number;
}

export class NoEffectMeansNone extends Invariant {
  readonly name = "no-effect-means-none";
  readonly #order: Order;
  readonly #requests = new Map<number, Request>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  #request(number: number): Request {
    const known = this.#requests.get(number);
    if (known !== undefined) return known;
    const request: Request = { tries: 0, noEffect: 0, executed: 0 };
    this.#requests.set(number, request);
    return request;
  }

  override asked(seen: Asked): void {
    if (seen.kind === "write") this.#request(seen.request).tries++;
  }

  override answered({ at, asked, answer }: Answered): void {
    if (asked.kind !== "write") return;
    if (answer.kind === "outcome") {
      const { outcome, servedBy } = answer;
      if (outcome.ok || errors[outcome.code].certainty !== "noEffect") return;
      // The word of flipped memory is worth nothing.
      if (this.#order.suspects.spoke(servedBy, asked.at, at)) return;
      this.#none(asked.request, `was answered ${outcome.code}`);
    } else if (answer.kind === "unavailable" && answer.certainty === "noEffect") {
      this.#none(asked.request, `was answered ${answer.code}, noEffect`);
    }
  }

  #none(number: number, how: string): void {
    const request = this.#request(number);
    request.noEffect++;
    this.#judge(number, request, how);
  }

  override applied(seen: AppliedBatch): void {
    for (const { executed } of this.#order.note(seen).revealed) {
      for (const { request: number, zxid } of executed) {
        if (number === undefined) continue;
        const request = this.#request(number);
        request.executed++;
        this.#judge(number, request, `is executed at ${formatZxid(zxid)}`);
      }
    }
  }

  #judge(number: number, { tries, noEffect, executed }: Request, how: string): void {
    if (executed <= tries - noEffect) return;
    const counts = `of ${tries} tries ${noEffect} had no effect, and it was executed ${executed} times`;
    this.broken(`request ${number} ${how}: ${counts}`);
  }
}
