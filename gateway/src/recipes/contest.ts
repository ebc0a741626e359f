/**
 * One call for a place: takes it, and waits until it is held, or lost, or the time is over. What it says of the place was so
 * at one zxid at which the place was there; and it says nothing before the renewal that came with it is confirmed.
 */
import { type Acting, formatZxid, nameOf, type Path, type ReplicaId, type SessionId, type Zxid } from "@quorate/api";
import { afterEffect, type Failed, isFailed, placeGone, refuse, renewalFailure } from "./answers.ts";
import type { EnterPorts } from "./enter.ts";
import { recipeLimits } from "./limits.ts";
import { notBefore, readSession } from "./look.ts";
import { faultOfWish, type Wish } from "./mark.ts";
import { closeUnused, type Opened, openSession, ownSessionName } from "./own-session.ts";
import { type Found, look, type Places, type Standing } from "./place.ts";
import type { ContenderQueue } from "./queue.ts";
import type { QueueView, ViewMember } from "./queue-view.ts";
import type { QueueViews } from "./queue-views.ts";
import type { Contest, Place, RecipeAnswer, Waiting } from "./recipes.ts";
import type { Wait, Waits } from "./waits.ts";

export interface ContestPorts extends EnterPorts {
  readonly places: Places;
  readonly views: QueueViews;
  readonly waits: Waits;
  readonly log: (text: string) => void;
}

/** Where the place stood when it was last seen. */
interface Seen {
  readonly standing: Standing;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

export class Contesting implements Waiting<Place>, ViewMember, Wait {
  readonly answer: Promise<RecipeAnswer<Place>>;
  /** Of the waiting. */
  deadline: number;
  wheelSlot = -1;
  wheelPlace = 0;
  readonly #ports: ContestPorts;
  readonly #contest: Contest;
  readonly #wish: Wish;
  readonly #began: number;
  /** Of what is asked of the backend. */
  readonly #limit: number;
  #resolve: (answer: RecipeAnswer<Place>) => void = () => {};
  #opened: Opened | undefined;
  #found: Found | undefined;
  #seen: Seen | undefined;
  #view: QueueView | undefined;
  /** A second place of the session may stand in the queue unseen. */
  #unsearched = false;
  #renewing = false;
  /** Why the session was not renewed; told once it is known what was done. */
  #unrenewed: Failed | undefined;
  /** Something was done, or may have been. */
  #wrote = false;
  /** It was held when the client came with its token: it waits for its loss. */
  #guarding = false;
  #overdue: boolean;
  /** A read, or a write, for the last answer is under way. */
  #asking = false;
  #looks = 0;
  #verdict: RecipeAnswer<Place> | undefined;
  #done = false;
  /** Nobody hears the answer. */
  #abandoned = false;

  constructor(ports: ContestPorts, contest: Contest, wish: Wish, deadlineMillis: number) {
    this.#ports = ports;
    this.#contest = contest;
    this.#wish = wish;
    this.#began = ports.world.now();
    this.#limit = this.#began + deadlineMillis;
    this.deadline = this.#began + contest.waitMillis;
    this.#overdue = contest.waitMillis === 0 || contest.acting === undefined;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#attempt(() => this.#begin());
  }

  /** Its contender's. */
  get name(): string | undefined {
    return this.#found && nameOf(this.#found.place.znode);
  }

  finish(): void {
    this.#overdue = true;
    this.#tellSeen();
  }

  abandon(): void {
    this.#abandoned = true;
    if (this.#done) this.#closeUntold();
    else this.finish();
  }

  expire(): void {
    this.finish();
  }

  /** Nothing that fails leaves the client without an answer. */
  #attempt(run: () => Promise<void>): void {
    run().catch((error: unknown) => {
      const { path } = this.#contest;
      this.#ports.log(`the place in ${path} cannot be told: ${error instanceof Error ? error.stack : String(error)}`);
      const detail = "the gateway failed; its log says why";
      this.#settle({ kind: "unavailable", code: "internal", detail, certainty: "unknown", retryAfterMillis: 1000 });
    });
  }

  async #begin(): Promise<void> {
    const fault = this.#fault();
    if (fault !== undefined) return this.#settle(fault);
    if (this.#contest.acting !== undefined) this.#renew();
    else await this.#open();
    if (this.#verdict === undefined) await this.#seek();
  }

  #fault(): Failed | undefined {
    const { path, data } = this.#contest;
    if (path.length === 1)
      return refuse("badArguments", "the root is no name of a lock or an election; give one", path);
    if (data.length > recipeLimits.valueBytes) {
      const detail = `${data.length} bytes are more than a contender's name or value may have (${recipeLimits.valueBytes})`;
      return refuse("tooLarge", detail, path);
    }
    const fault = faultOfWish(this.#wish);
    return fault === undefined ? undefined : refuse("badArguments", fault, path);
  }

  #renew(): void {
    const { acting } = this.#contest;
    if (acting === undefined) return;
    this.#renewing = true;
    const left = this.#limit - this.#began;
    void this.#ports.backend.renew(acting.session, acting.secretHash, left).then((answer) => {
      this.#renewing = false;
      const failed = renewalFailure(answer, formatZxid(acting.session));
      if (failed === undefined) {
        if (this.#verdict !== undefined) this.#settle(this.#verdict);
        return;
      }
      if (answer.kind === "expired") this.#ports.memory.sessions.delete(acting.session);
      // Whether there was an effect is known when the seeking is over.
      if (failed.kind === "unavailable" && this.#found === undefined && this.#verdict === undefined) {
        this.#unrenewed = failed;
      } else this.#settle(this.#wrote ? afterEffect(failed) : failed);
    });
  }

  async #open(): Promise<void> {
    const { identity, path, address, sessionTimeoutMillis, token } = this.#contest;
    if (token !== undefined) {
      return this.#settle(
        refuse("badArguments", "token: a place is its session's; send Quorate-Session with it", path),
      );
    }
    const name = ownSessionName(this.#wish.recipe, path);
    const how = { identity, name, address, timeoutMillis: sessionTimeoutMillis, deadline: this.#limit };
    const opened = await openSession(this.#ports, how);
    if (isFailed(opened)) this.#settle(opened);
    else this.#opened = opened;
  }

  async #seek(): Promise<void> {
    const { places, views } = this.#ports;
    const { identity, path, data, acl, key, token } = this.#contest;
    const acting = this.#contest.acting ?? this.#opened?.acting;
    if (acting === undefined) return;
    // A long queue that is watched anyway need not be listed.
    const known = views.find(path, identity)?.queue;
    const listing = known === undefined || known.size < recipeLimits.namesWithPlace;
    const { outcome, wrote } = await places.seek({
      identity,
      acting,
      queue: path,
      wish: this.#wish,
      data,
      acl,
      token,
      listing,
      make: token === undefined,
      patient: !this.#overdue,
      // A retry without a session would open another one; whoever was told of none cannot use its place.
      key: this.#opened === undefined ? key : undefined,
      deadline: this.#limit,
    });
    this.#wrote ||= wrote;
    if (isFailed(outcome)) this.#settle(outcome);
    else if (this.#unrenewed !== undefined) {
      this.#settle(this.#wrote ? afterEffect(this.#unrenewed) : this.#unrenewed);
    } else this.#stand(outcome);
  }

  #stand(found: Found): void {
    if (this.#done) return;
    const { memory, waits } = this.#ports;
    const { path, token, waitMillis } = this.#contest;
    const { place, session, standing, zxid, servedBy, searched } = found;
    this.#found = found;
    this.#unsearched = !searched;
    const known = memory.tokens.find({ path, token: place.token });
    if (standing !== undefined) this.#seen = { standing, zxid, servedBy };
    else if (known?.heldAt !== undefined) {
      // It may have come to that behind what was read.
      const at = Math.max(known.heldAt, zxid) as Zxid;
      this.#seen = { standing: { held: true, ahead: 0 }, zxid: at, servedBy };
    }
    this.#guarding = token !== undefined && this.#seen?.standing.held === true;
    if (this.#overdue || (this.#seen?.standing.held && !this.#guarding)) return this.#tellSeen();
    // A third, so that a loop of polls keeps the session; a little less, so that not all come back at once.
    this.deadline = this.#began + Math.min(waitMillis, session.timeoutMillis / 3) * waits.spread();
    waits.add(this);
    this.#watch();
  }

  #watch(): void {
    const { views } = this.#ports;
    const { identity, path } = this.#contest;
    const found = this.#found as Found;
    const view = views.open(path, identity, found.place.shape);
    if (isFailed(view)) return this.ended(view);
    this.#view = view;
    view.join(this);
    this.moved();
  }

  moved(): void {
    const view = this.#view;
    const found = this.#found;
    if (view?.queue === undefined || found === undefined || this.#done || this.#asking) return;
    const standing = view.standing(found.place);
    if (standing === "unknown") return;
    if (standing === "gone") return this.#lose(view.zxid);
    if (this.#unsearched) {
      this.#unsearched = false;
      const elders = this.#eldersIn(view.queue, found);
      if (elders.length > 0) return this.#yieldTo(elders);
    }
    this.#seen = { standing, zxid: view.zxid, servedBy: view.servedBy };
    if (standing.held) {
      this.#ports.memory.tokens.learn(this.#contest.path, found.place.token, found.place.znode, view.zxid);
    }
    if (this.#overdue || (standing.held && !this.#guarding)) this.#tellSeen();
  }

  ended(failed: Failed): void {
    const { views } = this.#ports;
    const { identity, path } = this.#contest;
    const view = this.#view;
    this.#view = undefined;
    if (this.#done) return;
    if (view !== undefined && views.widen(path, view.identity, failed, identity)) return this.#watch();
    if (failed.kind === "failed" && failed.failure.code !== "throttled") return this.#settle(failed);
    // The place stands all the same: what is known of it is the better answer.
    if (!this.#wrote && this.#seen === undefined) return this.#settle(failed);
    this.#overdue = true;
    this.#tellSeen();
  }

  /** The answer of an end of waiting: what is known, or what one look tells. */
  #tellSeen(): void {
    if (this.#done || this.#asking || this.#found === undefined) return;
    const standing = this.#view?.standing(this.#found.place);
    if (this.#view !== undefined && typeof standing === "object") {
      this.#seen = { standing, zxid: this.#view.zxid, servedBy: this.#view.servedBy };
    }
    if (this.#seen !== undefined) return this.#settle(this.#placeOf(this.#found, this.#seen));
    this.#asking = true;
    this.#looks += 1;
    this.#attempt(() => this.#look());
  }

  async #look(): Promise<void> {
    const { identity, path } = this.#contest;
    const { place } = this.#found as Found;
    const deadline = Math.max(this.#limit, this.#ports.world.now() + lastLookMillis);
    const looked = await look(this.#ports, { identity, queue: path, deadline }, place, this.#owner());
    this.#asking = false;
    if (isFailed(looked)) return this.#settle(this.#wrote ? afterEffect(looked) : looked);
    if (looked.place === undefined) return this.#lose(looked.zxid);
    const { standing, queue, zxid, servedBy } = looked;
    const elders = queue && this.#unsearched ? this.#eldersIn(queue, this.#found as Found) : [];
    if (elders.length > 0) return this.#yieldTo(elders);
    if (standing !== undefined) {
      if (standing.held) this.#ports.memory.tokens.learn(path, place.token, place.znode, zxid);
      this.#seen = { standing, zxid, servedBy };
      return this.#tellSeen();
    }
    // Too many to be told in one look: the view will tell, or end.
    if (this.#looks > 1) return this.#settle(afterEffect(lateOf(path)));
    if (this.#view === undefined) this.#watch();
    else this.moved();
  }

  #eldersIn(queue: ContenderQueue, { place }: Found): readonly string[] {
    const { identity, path } = this.#contest;
    return this.#ports.places.meetRivals({ identity, acting: this.#acting() }, path, queue, place);
  }

  #yieldTo(elders: readonly string[]): void {
    this.#asking = true;
    this.#wrote = true;
    this.#unsearched = false;
    this.#attempt(async () => {
      const { identity, path, token } = this.#contest;
      const { place, session } = this.#found as Found;
      const deadline = Math.max(this.#limit, this.#ports.world.now() + lastLookMillis);
      const request = { identity, acting: this.#acting(), queue: path, wish: this.#wish, token, deadline };
      const chosen = await this.#ports.places.preferElder(request, session, place, elders);
      this.#asking = false;
      this.#leave();
      if (isFailed(chosen)) this.#settle(afterEffect(chosen));
      else this.#stand(chosen);
    });
  }

  /** It is no more: because its session is over, or it alone. */
  #lose(zxid: Zxid): void {
    const { memory, backend } = this.#ports;
    const { identity, path } = this.#contest;
    const { place, session } = this.#found as Found;
    memory.forgetPlace(path, session, place);
    this.#leave();
    this.#asking = true;
    this.#attempt(async () => {
      const request = { identity, acting: this.#acting(), terms: notBefore(zxid) };
      const info = await readSession(backend, request, lastLookMillis);
      const over = isFailed(info) && info.kind === "failed" && info.failure.code === "sessionExpired";
      this.#settle(over ? info : placeGone(path, zxid));
    });
  }

  #acting(): Acting {
    return this.#contest.acting ?? (this.#opened as Opened).acting;
  }

  #owner(): SessionId {
    return this.#acting().session;
  }

  #placeOf({ place, session }: Found, { standing, zxid, servedBy }: Seen): RecipeAnswer<Place> {
    const { znode, token, mode, shape } = place;
    const { layout, permits } = shape;
    const secret = this.#opened?.secret;
    const value: Place = {
      ...standing,
      token,
      znode,
      layout,
      mode,
      ...(permits === undefined ? undefined : { permits }),
      session: this.#owner(),
      sessionTimeoutMillis: session.timeoutMillis,
      ...(secret === undefined ? undefined : { secret }),
    };
    return { kind: "done", value, zxid, servedBy };
  }

  /** Once the renewal is confirmed; what the session's end says needs none. */
  #settle(answer: RecipeAnswer<Place>): void {
    if (this.#done) return;
    this.#verdict = answer;
    this.#leave();
    if (this.#renewing && answer.kind === "done") return;
    this.#done = true;
    if (this.#abandoned || answer.kind !== "done") this.#closeUntold();
    this.#resolve(answer);
  }

  /** Its secret was told to nobody. */
  #closeUntold(): void {
    if (this.#opened !== undefined) closeUnused(this.#ports, this.#contest.identity, this.#opened.acting);
  }

  #leave(): void {
    this.#ports.waits.remove(this);
    this.#view?.leave(this);
    this.#view = undefined;
  }
}

function lateOf(path: Path): Failed {
  const detail = `the queue ${path} could not be seen in time; the place stands, ask again`;
  return { kind: "unavailable", code: "timeout", detail, certainty: "unknown", retryAfterMillis: 1000 };
}

/** What is known is told late rather than not at all. */
const lastLookMillis = 2000;
