// Time that passes when it is told to.

import { invalidArgument } from "../errors.js";
import { idle, isIdle } from "./work.js";

const NAMES = ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval"];

/** At one moment. A timer that always sets another one without waiting would keep `advance` for ever. */
const MAX_RUNS = 1000;

/** The one that runs. */
let installed;

export function createTestClock(options = {}) {
  const { setTimeout: realSetTimeout, setImmediate, Date: RealDate } = globalThis;
  // Node's is quicker.
  const turn = setImmediate ?? ((resolve) => realSetTimeout(resolve, 0));
  // Test runners' fake timers mark themselves so.
  if (installed || realSetTimeout.clock) {
    throw invalidArgument(
      "There is a fake clock already: call restore() of the other one, or your test runner's useRealTimers(), first.",
    );
  }
  let now = options.now === undefined ? RealDate.now() : new RealDate(options.now).getTime();
  if (Number.isNaN(now)) throw invalidArgument("`now` must be a Date, its milliseconds or its text.");
  const timers = new Map();
  let lastId = 0;

  const start = (callback, milliseconds, args, repeats) => {
    // As in the HTML standard, section 8.7; more would go off at once in browsers too.
    const wait = Math.max(Number(milliseconds) | 0, repeats ? 1 : 0);
    const id = ++lastId;
    timers.set(id, { at: now + wait, every: repeats ? wait : undefined, run: () => callback(...args) });
    return realIsNumber ? id : nodeTimer(id);
  };
  const stop = (timer) => void timers.delete(Number(timer));
  const probe = realSetTimeout(() => {}, 0);
  globalThis.clearTimeout(probe);
  const realIsNumber = typeof probe === "number";

  function TestDate(...args) {
    if (!new.target) return new RealDate(now).toString();
    return Reflect.construct(RealDate, args.length ? args : [now], new.target);
  }
  Object.setPrototypeOf(TestDate, RealDate);
  TestDate.prototype = RealDate.prototype;
  TestDate.now = () => now;

  const fakes = {
    Date: TestDate,
    setTimeout: (callback, milliseconds, ...args) => start(callback, milliseconds, args, false),
    clearTimeout: stop,
    setInterval: (callback, milliseconds, ...args) => start(callback, milliseconds, args, true),
    clearInterval: stop,
  };
  const before = NAMES.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  for (const name of NAMES) {
    Object.defineProperty(globalThis, name, {
      value: fakes[name],
      configurable: true,
      writable: true,
      enumerable: name !== "Date",
    });
  }

  /** Lets everything happen that needs no time. */
  const settle = async () => {
    do {
      await idle();
      // A turn of the real event loop, in which all promises go as far as they can.
      await new Promise((resolve) => turn(resolve));
    } while (!isIdle());
  };

  const clock = {
    get now() {
      return now;
    },
    get timers() {
      return timers.size;
    },
    async advance(milliseconds) {
      if (!(milliseconds >= 0 && milliseconds < Infinity)) {
        throw invalidArgument("`milliseconds` must be a number of at least 0.");
      }
      const until = now + milliseconds;
      await settle();
      for (let runs = 0; ;) {
        const [id, timer] = [...timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
        if (!timer || timer.at > until) break;
        runs = timer.at > now ? 0 : runs + 1;
        if (runs > MAX_RUNS) {
          throw invalidArgument(
            `More than ${MAX_RUNS} timers went off at one moment: one of them sets itself anew without waiting.`,
          );
        }
        now = Math.max(now, timer.at);
        if (timer.every) timer.at += timer.every;
        else timers.delete(id);
        timer.run();
        await settle();
      }
      now = Math.max(now, until);
    },
    restore() {
      if (installed !== clock) return;
      installed = undefined;
      timers.clear();
      for (const [name, descriptor] of before) {
        if (descriptor) Object.defineProperty(globalThis, name, descriptor);
        else delete globalThis[name];
      }
    },
  };
  if (Symbol.dispose) clock[Symbol.dispose] = clock.restore;
  installed = clock;
  return clock;
}

/** What Node gives where browsers give a number. */
function nodeTimer(id) {
  const timer = { ref: () => timer, unref: () => timer, hasRef: () => false, [Symbol.toPrimitive]: () => id };
  return timer;
}
