/** Calls of one session for one place that are under way together: each goes behind the one before it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { done, path, Scene } from "./scene.test-support.ts";

const queue = path("/queue");

it("those that waited behind one that failed do not go together", async () => {
  const scene = new Scene();
  const at = scene.gateway();
  const acting = await scene.session();
  // The queue is there, and it is known what the session has.
  done(await scene.until(at.acquire(queue, { acting }).answer));
  done(await scene.until(at.release(queue, acting)));
  scene.watch(queue);
  let writes = 0;
  at.faults = { delay: () => 20, fate: (request) => ("consistency" in request || writes++ > 0 ? "pass" : "drop") };
  const [first, ...others] = Array.from({ length: 4 }, () => at.acquire(queue, { acting }).answer);
  assert.equal((await scene.until(first as NonNullable<typeof first>)).kind, "unavailable");
  const places = (await scene.until(Promise.all(others))).map(done);
  assert.equal(new Set(places.map(({ znode }) => znode)).size, 1);
  const most = Math.max(...(scene.history.get(queue) ?? []).map(({ names }) => names.length));
  assert.equal(most, 1, "the session has one place at a time");
});

it("a release goes behind all of them", async () => {
  const scene = new Scene();
  const at = scene.gateway();
  const acting = await scene.session();
  done(await scene.until(at.acquire(queue, { acting }).answer));
  done(await scene.until(at.release(queue, acting)));
  let writes = 0;
  at.faults = { delay: () => 20, fate: (request) => ("consistency" in request || writes++ > 0 ? "pass" : "drop") };
  const asked = Array.from({ length: 4 }, () => at.acquire(queue, { acting }).answer);
  const released = at.release(queue, acting);
  await scene.until(Promise.all([...asked, released]));
  assert.deepEqual(scene.names(queue), []);
});
