// A page that gives anything, breaks anything and answers anything: each call is refused with an
// error of the package's, or does what it should; the WebAssembly never stops; the next call works.

import { count, ok, outcome, refused, same, testCase, untrapped } from "./cases.mjs";
import { ARGUMENTS, CLASSES, World, callByName, getters, inTable, published } from "./methods.mjs";
import { Search } from "./search.mjs";
import { authSession, begun, fromHex, gridkey, hex, inPage, inspect, logged, loseInstance, memories, random, soon, testing, textOf, utf8 } from "./subject.mjs";
import { BEHAVIOURS, VALUES } from "./values.mjs";

const { SealedKeyReceiver, SessionKey, WalletExportKey, createGridkey } = gridkey;
const ACCOUNT = { accountId: "InternalAccount:1" };
const LISTED = { status: 200, body: { data: [] } };

let made;
const world = () => (made ??= World.begin());

/** The next good calls: of a method, of a request, and of an object that was there before. */
let kept;
async function works(what) {
  if ((await outcome(() => kept.publicKey)).error) kept = SessionKey.generate();
  const client = createGridkey({ transport: async () => LISTED });
  same(await client.listAuthMethods(ACCOUNT), [], `${what}: then a good request`);
  client.free();
  ok((await kept.dangerouslyStampUnchecked("x")).length > 100, `${what}: then a good stamp`);
}

/** An error of the package's, that says nothing odd, or none. */
function sensible({ error }, what, codes) {
  if (error === undefined) return;
  ok(gridkey.isGridkeyError(error), () => `${what}: ${inspect(error)}`);
  ok(error.code !== "instance_lost", () => `${what}: ${inspect(error)}`);
  if (codes) ok(codes.includes(error.code), `${what}: ${error.code}: ${error.message}`);
}

/** As a call that must come to its end. */
async function inTime(what, call, ms = 5000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: it does not end`)), ms);
  });
  try {
    return await Promise.race([outcome(call), late]);
  } finally {
    clearTimeout(timer);
  }
}

// Arguments.

testCase("nothing that can be called is left out", async () => {
  const known = Object.keys(ARGUMENTS).sort();
  same(known.filter((name) => name !== "api"), [...(await published())].sort(), "the published types");
  const table = [...inTable()];
  same(table.filter((name) => !(name in ARGUMENTS)), [], "the member table");
  ok(table.length > 45 && known.length > table.length, `${table.length} and ${known.length}`);
  count("functions and methods", known.length);
});

/** All places in arguments: of each a way to put something else there, and what is there. */
function* places(args) {
  for (const [index, argument] of args.entries()) {
    yield [`argument ${index}`, (value) => args.with(index, value), argument];
    if (Object.getPrototypeOf(argument ?? 0) !== Object.prototype) continue;
    for (const [path, put, good] of within(argument, 2)) yield [`argument ${index}${path}`, (value) => args.with(index, put(value)), good];
  }
}
function* within(object, depth) {
  for (const [name, member] of Object.entries(object)) {
    yield [`.${name}`, (value) => ({ ...object, [name]: value }), member];
    if (depth > 1 && Object.getPrototypeOf(member ?? 0) === Object.prototype) {
      for (const [path, put, good] of within(member, depth - 1)) yield [`.${name}${path}`, (value) => ({ ...object, [name]: put(value) }), good];
    }
  }
}

/** What is allowed to take its time, or ends the page's own loading. */
const APART = ["init", "createGridkey", "isSupported", "capabilities", "isGridkeyError", "Gridkey.subscribe"];

for (const part of [...CLASSES, "Gridkey", "api", ""]) {
  testCase(`anything in the place of an argument is refused or taken: ${part || "functions"}`, async () => {
    const it = await world();
    const names = Object.keys(ARGUMENTS).filter((name) => !APART.includes(name) && (part ? name.startsWith(`${part}.`) : !name.includes(".")));
    ok(names.length > 0, "there are some");
    for (const name of names) {
      const method = name.split(".")[1];
      const isSpent = ["signOut", "open"].includes(method);
      let object = CLASSES.includes(part) ? await it.make(part) : undefined;
      it.isRefusing = true;
      await untrapped(name, async () => {
        for (const [place, put] of places(ARGUMENTS[name](it))) {
          for (const [value, make] of Object.entries(VALUES)) {
            const what = `${name}, ${place}: ${value}`;
            if (isSpent && part === "WalletSession") object = it.session();
            const result = await inTime(what, () => callByName(it, name, put(make()), object));
            sensible(result, what);
            count("hostile arguments");
          }
        }
      });
      it.isRefusing = false;
      if (object) object.free();
    }
    await works(part);
  });
}

testCase("anything in the place of a client's options is refused or taken", async () => {
  for (const [place, put] of places(ARGUMENTS.createGridkey())) {
    for (const [value, make] of Object.entries(VALUES)) {
      const what = `createGridkey, ${place}: ${value}`;
      const { value: client, error } = await outcome(() => createGridkey(...put(make())));
      sensible({ error }, what);
      if (client) {
        const result = await untrapped(what, () => inTime(what, () => ONCE(client, { timeoutMs: 20 })));
        sensible(result, what, ["invalid_argument", "network", "timeout", "relay_protocol"]);
        client.free();
      }
      count("hostile arguments");
    }
  }
  await works("createGridkey");
});

testCase("anything in the place of init's options, a listener or an error is refused or taken", async () => {
  for (const [value, make] of Object.entries(VALUES)) {
    for (const args of [[make()], [undefined, make()], [undefined, { integrity: make() }]]) {
      sensible(await inTime(`init: ${value}`, () => gridkey.init(...args)), `init: ${value}`, ["invalid_argument"]);
    }
    const client = createGridkey({ transport() {} });
    sensible(await outcome(() => client.subscribe(make())), `subscribe: ${value}`, ["invalid_argument"]);
    client.free();
    const { value: is } = await outcome(() => gridkey.isGridkeyError(make()));
    ok(is === false || is === undefined, `isGridkeyError: ${value}`);
    count("hostile arguments", 5);
  }
  await works("init");
});

/** Counts how often each member is read. */
function watched(object, reads, path = "") {
  return new Proxy(object, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof name !== "symbol") reads[`${path}.${name}`] = (reads[`${path}.${name}`] ?? 0) + 1;
      const isPlain = Object.getPrototypeOf(member ?? 0) === Object.prototype || Array.isArray(member);
      return isPlain ? watched(member, reads, `${path}.${String(name)}`) : member;
    },
  });
}

testCase("every member of an argument is read once, so that what was checked is what is used", async () => {
  const it = await world();
  let members = 0;
  for (const name of Object.keys(ARGUMENTS).filter((name) => !APART.includes(name))) {
    const object = CLASSES.includes(name.split(".")[0]) ? await it.make(name.split(".")[0]) : undefined;
    it.isRefusing = true;
    const reads = {};
    const args = ARGUMENTS[name](it).map((argument, index) =>
      Object.getPrototypeOf(argument ?? 0) === Object.prototype ? watched(argument, reads, index) : argument,
    );
    sensible(await inTime(name, () => callByName(it, name, args, object)), name);
    for (const [path, times] of Object.entries(reads)) ok(times === 1, `${name}: ${path} is read ${times} times`);
    members += Object.keys(reads).length;
    it.isRefusing = false;
    object?.free();
  }
  ok(members > 150, `only ${members} members were read`);
  count("members read once", members);
});

testCase("what is signed is what was checked, whatever the intent's getters give", async () => {
  const key = SessionKey.generate();
  const payload = (email) =>
    JSON.stringify({ organizationId: "org", parameters: { userEmail: email, userId: "1" }, timestampMs: String(Date.now()), type: "ACTIVITY_TYPE_UPDATE_USER_EMAIL" });
  const intent = (emails) => ({
    kind: "setEmail",
    get email() {
      return emails.shift() ?? "c@d.example";
    },
  });
  ok((await key.stamp(payload("a@b.example"), intent(["a@b.example"]))).length > 100, "the first is what counts");
  same((await refused("intent_refused", () => key.stamp(payload("a@b.example"), intent([])))).reason, "parameters");
  await refused("invalid_argument", () => key.stamp(Object(payload("a@b.example")), intent(["a@b.example"])));
  for (const kind of ["constructor", "__proto__", "toString", "hasOwnProperty", "SETEMAIL", "setEmail ", "setE\u006dail\u0000"]) {
    await refused("invalid_argument", () => key.stamp(payload("a@b.example"), { kind, email: "a@b.example" }), kind);
  }
  // Inherited members are none.
  await refused("invalid_argument", () => key.stamp(payload("a@b.example"), Object.create({ kind: "setEmail", email: "a@b.example" })));
  key.free();
});

testCase("a hundred million characters are refused before any work", async () => {
  const it = await world();
  const huge = "x".repeat(100 << 20);
  const size = memories.at(-1).buffer.byteLength;
  const started = performance.now();
  let places_ = 0;
  for (const name of Object.keys(ARGUMENTS).filter((name) => !APART.includes(name))) {
    const object = CLASSES.includes(name.split(".")[0]) ? await it.make(name.split(".")[0]) : undefined;
    it.isRefusing = true;
    for (const [place, put] of places(ARGUMENTS[name](it))) {
      const args = put(huge);
      const { error } = await inTime(name, () => callByName(it, name, args, object));
      sensible({ error }, `${name}, ${place}`, ["invalid_argument"]);
      ok(error !== undefined, `${name}, ${place}: it was taken`);
      places_++;
    }
    it.isRefusing = false;
    object?.free();
  }
  for (const [place, put] of places(ARGUMENTS.createGridkey())) {
    // A header goes to `fetch` as it is, and never into the WebAssembly.
    if (place.endsWith(".headers.X-A")) continue;
    const { error } = await inTime(place, () => ONCE(createGridkey(...put(huge)), { timeoutMs: 20 }));
    ok(error?.code === "invalid_argument", () => `createGridkey, ${place}: ${inspect(error)}`);
    places_++;
  }
  // Not taken for its characters, of which an object would be made.
  ok(/must be an object/.test((await refused("invalid_argument", () => ONCE(createGridkey(huge)))).message), "options that are a text");
  const nested = { a: [huge] };
  await refused("invalid_argument", () => it.client.api.createQuote({ ...nested, [huge]: 1 }));
  await refused("invalid_argument", () => it.client.api.createQuote(nested));
  ok(memories.at(-1).buffer.byteLength === size, "the memory has grown for it");
  const ms = performance.now() - started;
  // Copying them once each would take that long by itself.
  ok(ms < 60_000, `it took ${ms} ms`);
  ok(places_ > 150, `${places_} places`);
  count("places of 100 MiB", places_);
});

testCase("lone surrogates are refused wherever a text goes in or comes back", async () => {
  const it = await world();
  let texts = 0;
  for (const name of Object.keys(ARGUMENTS).filter((name) => !APART.includes(name))) {
    const object = CLASSES.includes(name.split(".")[0]) ? await it.make(name.split(".")[0]) : undefined;
    it.isRefusing = true;
    for (const [place, put, good] of places(ARGUMENTS[name](it))) {
      if (typeof good !== "string") continue;
      for (const text of [`\ud83d${good}`, `${good.slice(0, good.length >> 1)}\udc00${good.slice(good.length >> 1)}`, `${good}\ud800`]) {
        await refused("invalid_argument", () => callByName(it, name, put(text), object), `${name}, ${place}`);
        texts++;
      }
    }
    it.isRefusing = false;
    object?.free();
  }
  ok(texts > 300, `${texts} texts`);
  // What is made of one is another text, and of two of them the same.
  const answers = { "in a text": '{"code":"\ud800"}', "in an object": { code: "\udc00" }, "in a name": { "\ud800": 1 }, escaped: '{"code":"\\ud800"}' };
  for (const [what, body] of Object.entries(answers)) {
    await refused("relay_protocol", () => ONCE(createGridkey({ transport: async () => ({ status: 201, body }) })), what);
  }
  count("lone surrogates", texts);
});

testCase("keys are read of nothing but 32 bytes", async () => {
  const buffer = random(64).map((byte) => byte & 0x7f).buffer;
  const good = { "a view from the middle": new Uint8Array(buffer, 7, 32), bytes: new Uint8Array(32).fill(5), "a subclass": new (class extends Uint8Array {})(32).fill(6) };
  for (const [what, bytes] of Object.entries(good)) {
    const key = SessionKey.dangerouslyFromPrivateKey(bytes);
    same(hex(key.dangerouslyExportPrivateKey()), hex(bytes), what);
    key.free();
  }
  const N = fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const bad = { zero: new Uint8Array(32), "the order": N, "all ones": new Uint8Array(32).fill(255), "31 bytes": new Uint8Array(31).fill(1), "33 bytes": new Uint8Array(33).fill(1) };
  for (const Class of [SessionKey, SealedKeyReceiver, WalletExportKey]) {
    for (const [what, bytes] of Object.entries(bad)) await refused("invalid_argument", () => Class.dangerouslyFromPrivateKey(bytes), what);
  }
});

testCase("times that are none are refused", async () => {
  const it = await world();
  const TIMES = ["", "x", "NaN", "Infinity", "+275761-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:01Z", "2026-01-01", "1795203586000", "2026-01-01T00:00:00", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z\u0000"];
  for (const time of TIMES) {
    for (const name of ["expiresAt", "createdAt"]) {
      const key = SessionKey.generate();
      await refused(["invalid_argument", "relay_protocol"], () => it.client.adoptSession(authSession({ [name]: time }), key), `${name}: ${time}`);
      key.free();
      for (const answer of [time, NaN, null, 1e300, {}]) {
        const client = createGridkey({ transport: async () => ({ status: 201, body: { code: "c", agentId: "Agent:1", redeemed: false, expiresAt: answer } }) });
        const { value, error } = await outcome(() => client.api.regenerateAgentDeviceCode("Agent:1"));
        ok(error?.code === "relay_protocol", () => `an answer's ${String(answer)}: ${inspect(value)}`);
      }
    }
  }
  for (const now of [NaN, Infinity, -1, 1.5, "1", 8.64e15 + 2, 1n, new Date(), null]) {
    await refused("invalid_argument", () => gridkey.checkIntent("{}", { kind: "revokePasskey" }, { now }), String(now));
  }
  count("times", TIMES.length * 2);
});

// What a page may do to everybody.

const POLLUTION = [...new Set(["get", "set", "value", "writable", "enumerable", "configurable", "promises", "methods", "getters", "known", "then", "name", "message", "code", "recovery", "cause", "reason", "status", "length", "index", "instance", "lost", "handle", "isFreed", "isOptional", "over", "stop", "end", "signal", "timeoutMs", "baseUrl", "transport", "headers", "fetch", "credentials", "sessionKeys", "passkey", "rpId", "rpName", "enclave", "dangerouslyTrust", "otp", "export", "organizations", "onRequest", "integrity", "organizationId", "enclaveKey", "publicKeyEncoding", "kind", "email", "allowBlindSigning", "revokeOld", "redirect", "clientId", "accountId", "authMethodId", "stamp", "requestId", "idempotencyKey", "body", "retryAfterMs", "dateMs", "now", "done", "prototype", "session", "type", "0", "1"])];

for (const [what, polluted] of Object.entries({ "a function": () => () => 7, "a text": () => "polluted", "an object": () => ({}), "true": () => true })) {
  testCase(`an Object.prototype with ${what} of any name changes nothing, from loading on`, async () => {
    const payload = JSON.stringify({ organizationId: "org", parameters: { userEmail: "a@b.example", userId: "1" }, timestampMs: String(Date.now()), type: "ACTIVITY_TYPE_UPDATE_USER_EMAIL" });
    const seen = [];
    const transport = async (call) => {
      seen.push(Object.keys(call));
      return LISTED;
    };
    // Everybody's promises end where an object has a function `then`.
    for (const name of POLLUTION.filter((name) => name !== "then" || what !== "a function")) {
      loseInstance();
      const before = begun.number;
      let results;
      // eslint-disable-next-line no-extend-native
      Object.prototype[name] = polluted();
      try {
        const key = SessionKey.generate();
        const client = createGridkey({ transport });
        results = [
          key.publicKey.length,
          (await key.stamp(payload, { kind: "setEmail", email: "a@b.example" })).length > 100,
          await outcome(() => gridkey.oauthNonce("x")),
          await outcome(() => key.stamp(payload, { kind: "setEmail" })),
          await outcome(() => key.stamp(payload, {})),
          await outcome(() => key.sealOtpCode("{}", "1")),
          await outcome(() => WalletExportKey.generate().open("{}", {})),
          await outcome(() => client.preparePasskey({})),
          await outcome(() => client.listAuthMethods({})),
          await outcome(() => createGridkey({}).listAuthMethods(ACCOUNT)),
          await client.listAuthMethods(ACCOUNT),
          await outcome(() => gridkey.init(undefined, {})),
        ];
        key.free();
      } finally {
        delete Object.prototype[name];
      }
      ok(begun.number === before + 1, `${name}: a fresh instance, and no more of them`);
      const codes = results.map((result) => result?.error?.code ?? (result?.error ? String(result.error) : "fine"));
      const wanted = ["fine", "fine", "invalid_argument", "invalid_argument", "invalid_argument", "bundle_malformed", "invalid_argument", "invalid_argument", "invalid_argument", "invalid_argument", "fine", "fine"];
      same(codes, wanted, name);
      same([results[0], results[10]], [66, []], name);
      same(seen.pop(), ["operation", "method", "path", "params", "signal"], name);
      count("polluted names");
    }
  });
}

testCase("a page that patches what everybody uses breaks its own calls at most", async () => {
  const real = { iterator: Array.prototype[Symbol.iterator], then: Promise.prototype.then };
  const broken = {
    "Array.prototype[Symbol.iterator]": [Array.prototype, Symbol.iterator],
    "Array.prototype.push": [Array.prototype, "push"],
    "Array.prototype.map": [Array.prototype, "map"],
    "Object.entries": [Object, "entries"],
    "Object.hasOwn": [Object, "hasOwn"],
    "JSON.parse": [JSON, "parse"],
    "JSON.stringify": [JSON, "stringify"],
    "Reflect.get": [Reflect, "get"],
    "TextEncoder.prototype.encode": [TextEncoder.prototype, "encode"],
    "String.prototype.replace": [String.prototype, "replace"],
    "Promise.prototype.then": [Promise.prototype, "then"],
    "WeakMap.prototype.get": [WeakMap.prototype, "get"],
    "Date.now": [Date, "now"],
  };
  for (const [what, [object, name]] of Object.entries(broken)) {
    const key = SessionKey.generate();
    const own = Object.getOwnPropertyDescriptor(object, name);
    const calls = [() => key.publicKey, () => gridkey.oauthNonce("02"), () => key.sealOtpCode("{}", "1")];
    let value;
    const results = [];
    Object.defineProperty(object, name, { configurable: true, writable: true, value() { throw new RangeError("broken by the page"); } });
    try {
      // Without what is broken.
      for (let index = 0; index < calls.length; index++) {
        try {
          value = calls[index]();
        } catch (error) {
          results[results.length] = error;
        }
      }
    } finally {
      Object.defineProperty(object, name, own);
    }
    for (const error of results) ok(!(error instanceof WebAssembly.RuntimeError), () => `${what}: ${inspect(error)}`);
    void value;
    key.free();
    await works(what);
    count("patched functions");
  }
  same([real.iterator === Array.prototype[Symbol.iterator], real.then === Promise.prototype.then], [true, true]);
});

if (inPage) {
  testCase("it is imported and loaded by a page whose Object.prototype is polluted before", async () => {
    const names = POLLUTION.filter((name) => name !== "then" && !/^\d$/.test(name));
    for (const value of ["() => 7", "'polluted'", "{}"]) {
      for (const set of [...names.slice(0, 12).map((name) => [name]), names]) {
        const frame = document.createElement("iframe");
        const said = new Promise((resolve) => {
          globalThis.report = resolve;
        });
        frame.srcdoc = `<script>for (const name of ${JSON.stringify(set)}) Object.prototype[name] = (${value});</script>
          <script type="module">
            try {
              const { SessionKey, createGridkey, init, oauthNonce } = await import("/pkg/index.js");
              await init(new Uint8Array(await (await fetch("/pkg/wasm/gridkey_bg.wasm", Object.create(null))).arrayBuffer()));
              let code;
              try { oauthNonce("x"); } catch (error) { code = Object.hasOwn(error, "code") && error.code; }
              const client = createGridkey({ transport: async () => ({ status: 200, body: { data: [] } }) });
              parent.report([SessionKey.generate().publicKey.length, code, (await client.listAuthMethods({ accountId: "a" })).length]);
            } catch (error) { parent.report(String(error?.stack ?? error)); }
          </script>`;
        document.body.append(frame);
        same(await said, [66, "invalid_argument", 0], `${set} ${value}`);
        frame.remove();
        count("polluted frames");
      }
    }
  });
}

// What is called back.

const ANY = ["invalid_argument", "network", "timeout", "relay_protocol", "aborted", "unsupported_operation"];

/** A request that is never repeated, and its answer. */
const ONCE = async (client, call) => (await client.api.regenerateAgentDeviceCode("Agent:1", call)).deviceCode;
const MADE = { status: 201, body: { code: "c", agentId: "Agent:1", redeemed: false, expiresAt: "2099-01-01T00:00:00Z" } };

/** A call of a client whose `name` does this. */
async function calledBack(name, behave, options, call) {
  const client = createGridkey({ ...options, [name]: behave });
  try {
    return await call(client);
  } finally {
    client.free();
  }
}

for (const [name, options] of Object.entries({
  transport: {},
  fetch: { baseUrl: "http://localhost:9" },
  headers: { baseUrl: "http://localhost:9", fetch: async () => new Response(JSON.stringify(MADE.body), { status: 201 }) },
  onRequest: { transport: async () => MADE },
})) {
  testCase(`whatever \`${name}\` does, the call ends, and the next one works`, async () => {
    for (const [behaviour, behave] of Object.entries(BEHAVIOURS)) {
      // A promise of a listener's is the page's own affair, as any listener's.
      if (name === "onRequest" && behaviour.startsWith("rejects")) continue;
      const what = `${name} ${behaviour}`;
      const result = await untrapped(what, () => inTime(what, () => calledBack(name, behave, options, (client) => ONCE(client, { timeoutMs: 60 }))));
      sensible(result, what, ANY);
      if (["transport", "fetch"].includes(name)) ok(result.error, () => `${what}: it was taken: ${inspect(result.value)}`);
      if (name === "onRequest") same(result.value?.agentId, "Agent:1", what);
      count("callbacks");
    }
    await works(name);
  });
}

testCase("a reply that is none is refused", async () => {
  const { body } = MADE;
  const thrower = () => {
    throw new Error("broken");
  };
  const replies = [
    ...["200", 200.5, 99, 600, NaN, -1, 0, {}, null, undefined, 200n, Symbol("x"), 2 ** 32 + 200].map((status) => ({ status, body })),
    ...["1", NaN, -1, {}, true].map((retryAfterMs) => ({ status: 201, body, retryAfterMs })),
    ...["1", NaN, -1, 1.5, Infinity, 8.64e15 + 2, new Date()].map((dateMs) => ({ status: 201, body, dateMs })),
    ...["x", 5, true, () => {}].map((headers) => ({ status: 201, body, headers })),
    ...["", "{", "[]", "null", "5", '""', "x".repeat(2 << 20), 5, true, [], () => {}, Symbol("x"), 1n, new Uint8Array(4), { toJSON: thrower }].map((body) => ({ status: 201, body })),
    Object.create({ status: 201, body }),
    Object.defineProperty({ body }, "status", { get: thrower }),
    Object.defineProperty({ status: 201 }, "body", { get: thrower }),
    ...Object.keys(body).map((name) => ({ status: 201, body: { ...body, [name]: undefined } })),
    ...Object.keys(body).map((name) => ({ status: 201, body: { ...body, [name]: { [name]: body[name] } } })),
  ];
  for (const [index, reply] of replies.entries()) {
    const result = await untrapped(`reply ${index}`, () => inTime(`reply ${index}`, () => ONCE(createGridkey({ transport: async () => reply }))));
    ok(result.error, `reply ${index} was taken`);
    sensible(result, `reply ${index}`, ["relay_protocol"]);
    count("replies");
  }
  ok(await ONCE(createGridkey({ transport: async () => MADE })), "and a good one is taken");
});

testCase("a function that never settles is ended by the signal, and what settles after it is nothing", async () => {
  for (const [name, options] of Object.entries({ transport: {}, fetch: { baseUrl: "http://localhost:9" }, headers: { baseUrl: "http://localhost:9" } })) {
    const controller = new AbortController();
    let settle;
    const behave = () => new Promise((resolve, reject) => (settle = { resolve, reject }));
    const call = calledBack(name, behave, options, async (client) => {
      setTimeout(() => controller.abort("enough"), 20);
      return client.listAuthMethods({ ...ACCOUNT, signal: controller.signal });
    });
    const error = await refused("aborted", () => call, name);
    same(error.cause, "enough");
    settle.resolve(LISTED);
    settle.reject(new Error("late"));
    await soon(5);
    await works(name);
  }
});

testCase("a body that never ends, stalls, breaks or is none ends the call", async () => {
  const reader = (read, more) => ({ status: 200, headers: new Headers(), body: { getReader: () => ({ read, cancel() {}, releaseLock() {} }) }, ...more });
  const thrower = () => {
    throw new Error("broken");
  };
  let chunks = 0;
  const bodies = {
    "empty chunks for ever": () => reader(async () => ({ done: false, value: new Uint8Array(0) })),
    "empty chunks for ever, at once": () => reader(() => ({ done: false, value: new Uint8Array(0) })),
    "bytes for ever": () => reader(async () => ({ done: false, value: new Uint8Array(64 * 1024) })),
    "single bytes for ever": () => reader(async () => ({ done: false, value: new Uint8Array(1024).fill(32) })),
    "a chunk that lies about its length": () => reader(async () => ({ done: false, value: { byteLength: 5, length: 5 } })),
    "a huge chunk": () => reader(async () => ({ done: false, value: new Uint8Array(64 << 20) })),
    "a detached chunk": () => reader(async () => ({ done: chunks++ > 80, value: VALUES["detached bytes"]() })),
    "a shared chunk": () => reader(async () => ({ done: false, value: globalThis.SharedArrayBuffer && new Uint8Array(new SharedArrayBuffer(8)) })),
    stalls: () => reader(() => new Promise(() => {})),
    throws: () => reader(thrower),
    "cannot be read": () => reader(async () => new Proxy({}, { get: thrower })),
    "gives nothing": () => reader(async () => undefined),
    "has a reader that throws": () => ({ status: 200, body: { getReader: thrower }, arrayBuffer: thrower }),
    "has no bytes": () => ({ status: 200, body: null, arrayBuffer: async () => "text" }),
    "has bytes that never come": () => ({ status: 200, body: null, arrayBuffer: () => new Promise(() => {}) }),
    "has too many bytes": () => ({ status: 200, body: null, arrayBuffer: async () => new ArrayBuffer(2 << 20) }),
    "a stream that errors": () => new Response(new ReadableStream({ pull: (stream) => stream.error(new Error("x")) })),
    "a stream of texts": () => new Response(new ReadableStream({ start: (stream) => stream.enqueue("text") })),
    "a stream of nothing": () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(0)) })),
    "a body that was read": () => {
      const response = new Response("{}");
      void response.text();
      return response;
    },
    "a status that is none": () => ({ status: "200", body: null }),
    "a status that throws": () => Object.defineProperty({}, "status", { get: thrower }),
    "headers that throw": () => ({ status: 200, headers: new Proxy({}, { get: thrower, ownKeys: thrower }), body: null, arrayBuffer: async () => new ArrayBuffer(0) }),
    "headers that lie": () => ({ status: 429, headers: { get: () => ({ toString: thrower }) }, arrayBuffer: async () => new ArrayBuffer(0) }),
    "a lone surrogate": () => reader(async () => ({ done: chunks++ % 2 === 1, value: new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]) })),
    "a BOM": () => new Response("\ufeff{\"data\":[]}"),
    "two of one name": () => new Response('{"data":[],"data":[]}'),
    "200,000 brackets": () => new Response("[".repeat(200_000)),
  };
  for (const [what, body] of Object.entries(bodies)) {
    chunks = 0;
    const result = await untrapped(what, () => inTime(what, () => calledBack("fetch", async () => body(), { baseUrl: "http://localhost:9" }, (client) => ONCE(client, { timeoutMs: 200 }))));
    sensible(result, what, ["network", "timeout", "relay_protocol", "rate_limited"]);
    ok(result.error, `${what}: it was taken`);
    count("bodies");
  }
  await works("bodies");
});

testCase("the platform's Basic credentials are known in any writing, where there is a page", async () => {
  const given = ["Basic YTpi", "basic YTpi", "BASIC YTpi", "Basic\tYTpi", "Basic", "  Basic YTpi", "Bearer x, Basic YTpi", "bAsIc   YTpi"];
  for (const value of given) {
    for (const headers of [{ Authorization: value }, { authorization: value }, [["AUTHORIZATION", value]], () => ({ Authorization: value }), async () => new Headers({ Authorization: value })]) {
      let sent = 0;
      const result = await outcome(() => calledBack("headers", headers, { baseUrl: "http://localhost:9", fetch: async () => { sent++; return new Response('{"data":[]}'); } }, (client) => client.listAuthMethods(ACCOUNT)));
      if (inPage) same([result.error?.code, sent], ["invalid_argument", 0], value);
      else same([result.value, sent], [[], 1], value);
    }
  }
  for (const value of ["Bearer Basic", "Basically x", "x-basic y", "Bearer YTpi"]) {
    same(await calledBack("headers", { Authorization: value }, { baseUrl: "http://localhost:9", fetch: async () => new Response('{"data":[]}') }, (client) => client.listAuthMethods(ACCOUNT)), [], value);
  }
});

testCase("whatever a function does that states an intent, nothing is signed by it, and the call ends", async () => {
  const payloadToSign = () => JSON.stringify({ organizationId: "org", parameters: {}, timestampMs: String(Date.now()), type: "ACTIVITY_TYPE_CREATE_USERS_V3" });
  for (const [behaviour, behave] of Object.entries(BEHAVIOURS)) {
    const stamps = [];
    const transport = async ({ stamp }) => {
      if (stamp) stamps.push(stamp);
      return { status: 202, body: { payloadToSign: payloadToSign(), requestId: `Request:${Math.random()}`, expiresAt: new Date(Date.now() + 120).toISOString() } };
    };
    const client = createGridkey({ transport });
    const session = client.adoptSession(authSession(), SessionKey.generate());
    for (const call of [
      () => session.signedRequest({ method: "POST", path: "/x", intent: behave }),
      () => session.createDelegatedKey({ cardId: "Card:1", nickname: "n", intent: behave }),
      () => session.revokeAuthMethod("AuthMethod:1", { intent: behave }),
    ]) {
      const what = `an intent that ${behaviour}`;
      const result = await untrapped(what, () => inTime(what, call));
      ok(result.error, `${what}: it was taken`);
      sensible(result, what, ["invalid_argument", "intent_refused", "challenge_expired", "relay_protocol"]);
      count("callbacks");
    }
    same(stamps, [], behaviour);
    session.free();
    client.free();
  }
  await works("intent");
});

testCase("an intent that is never stated is waited for until the challenge runs out", async () => {
  const it = await world();
  const { grid } = it;
  const run = await testing.createTestGrid({ accountId: `InternalAccount:${crypto.randomUUID()}`, challengeLifeMs: 300 });
  const { id } = run.addEmailOtp();
  const passkey = await run.addPasskey();
  const client = createGridkey({ transport: run.transport, enclave: run.enclave });
  const otp = await client.sendOtp({ authMethodId: id });
  const session = await otp.submit(run.lastCode);
  const started = Date.now();
  const error = await refused("challenge_expired", () => session.revokeAuthMethod(passkey.id, { intent: () => new Promise(() => {}) }));
  ok(Date.now() - started < 5000 && error.requestId, "and no longer");
  same(run.calls.filter(({ operation, leg }) => operation === "revokeAuthCredential" && leg === 2), []);
  ok(grid.calls.length > 0 && session.isActive, "the session goes on");
  session.free();
});

testCase("what is called back may call again, free, and end what is under way", async () => {
  const it = await world();
  const again = {
    "calls the same method": ({ client }) => client.listAuthMethods({ ...ACCOUNT, timeoutMs: 20 }).catch(() => {}),
    "frees the client": ({ client }) => client.free(),
    "frees the session": ({ session }) => session.free(),
    "signs out": ({ session }) => session.signOut({ timeoutMs: 20 }).catch(() => {}),
    refreshes: ({ session }) => session.refresh({ timeoutMs: 20 }).catch(() => {}),
    "makes and frees keys": () => {
      for (let index = 0; index < 20; index++) SessionKey.generate().free();
    },
    "adopts a session": ({ client }) => client.adoptSession(authSession(), SessionKey.generate()),
    "loads again": () => gridkey.init(),
    "aborts": ({ controller }) => controller.abort(),
  };
  const methods = {
    "client.listAuthMethods": ({ client }, options) => client.listAuthMethods({ ...ACCOUNT, ...options }),
    "client.api.listAuthSessions": ({ client }, options) => client.api.listAuthSessions(ACCOUNT, options),
    "session.refresh": ({ session }, options) => session.refresh(options),
    "session.signOut": ({ session }, options) => session.signOut(options),
    "session.exportMnemonic": ({ session }, options) => session.exportMnemonic({ organizationId: "org", ...options }),
  };
  for (const [does, act] of Object.entries(again)) {
    for (const [method, call] of Object.entries(methods)) {
      for (const where of ["transport", "onRequest", "subscribe", "getter", "signal"]) {
        const what = `${method}: ${where} ${does}`;
        const scene = { controller: new AbortController() };
        let depth = 0;
        const meddle = () => {
          // Whoever calls himself for ever is ended by his own stack.
          if (depth++ < 2) act(scene);
        };
        const client = createGridkey({
          transport: async () => {
            if (where === "transport") meddle();
            return LISTED;
          },
          onRequest: () => where === "onRequest" && meddle(),
        });
        scene.client = client;
        scene.session = client.adoptSession(authSession(), SessionKey.generate());
        if (where === "subscribe") client.subscribe(meddle);
        const { signal } = scene.controller;
        const options = { signal, timeoutMs: 500 };
        if (where === "getter") Object.defineProperty(options, "timeoutMs", { enumerable: true, get() { meddle(); return 500; } });
        if (where === "signal") {
          options.signal = { get aborted() { meddle(); return signal.aborted; }, addEventListener: (...args) => { meddle(); signal.addEventListener(...args); }, removeEventListener: (...args) => signal.removeEventListener(...args) };
        }
        const result = await untrapped(what, () => inTime(what, () => call(scene, options)));
        sensible(result, what, [...ANY, "used_after_free", "session_expired", "grid_error"]);
        scene.session.free();
        client.free();
        count("re-entrant calls");
      }
    }
  }
  ok(it.client, "the world goes on");
  await works("re-entrant");
});

testCase("a storage that throws, lies or is full is as if there were none", async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  const thrower = () => {
    throw new Error("broken");
  };
  const storages = {
    none: () => undefined,
    "a getter that throws": "getter",
    full: () => ({ getItem: () => null, setItem: thrower, removeItem: thrower }),
    "reads that throw": () => ({ getItem: thrower, setItem() {}, removeItem() {} }),
    "numbers": () => ({ getItem: () => 5, setItem() {}, removeItem() {} }),
    "junk": () => ({ getItem: () => "{\"a\":".repeat(500), setItem() {}, removeItem() {} }),
    "too much": () => ({ getItem: () => "x".repeat(10 << 20), setItem() {}, removeItem() {} }),
    "a lone surrogate": () => ({ getItem: () => "\ud800", setItem() {}, removeItem() {} }),
    "another's organization": () => ({ getItem: () => '{"organizationId":"another"}', setItem() {}, removeItem() {} }),
  };
  try {
    for (const [what, storage] of Object.entries(storages)) {
      Object.defineProperty(globalThis, "localStorage", { configurable: true, get: storage === "getter" ? thrower : storage });
      const run = await testing.createTestGrid({ accountId: `InternalAccount:${crypto.randomUUID()}` });
      const { id } = run.addEmailOtp();
      const client = createGridkey({ transport: run.transport, enclave: run.enclave });
      const otp = await client.sendOtp({ authMethodId: id });
      // What is remembered counts: another organization than that is not signed for.
      const result = await untrapped(what, () => inTime(what, async () => (await otp.submit(run.lastCode)).refresh()));
      sensible(result, what);
      same(result.error?.code, what === "another's organization" ? "intent_refused" : undefined, what);
      sensible(await inTime(what, () => client.forgetOrganization(run.accountId)), what, ["storage_unavailable"]);
      client.free();
      count("storages");
    }
  } finally {
    if (own) Object.defineProperty(globalThis, "localStorage", own);
    else delete globalThis.localStorage;
  }
});

testCase("a clock that is no clock is told, and ends nothing but the call", async () => {
  const { now } = Date;
  for (const [what, time] of Object.entries({ NaN: NaN, Infinity, "1970": 0, "275760": 8.64e15, "before 1970": -1e12, text: "1795203586000", undefined, null: null, object: {} })) {
    const client = createGridkey({ transport: async () => LISTED });
    const key = SessionKey.generate();
    Date.now = () => time;
    let results;
    const before = begun.number;
    try {
      results = [await outcome(() => client.listAuthMethods(ACCOUNT)), await outcome(() => key.stamp("{}", { kind: "revokePasskey" }))];
    } finally {
      Date.now = now;
    }
    for (const result of results) if (result.error) ok(gridkey.isGridkeyError(result.error) && result.error.code !== "instance_lost", () => `${what}: ${inspect(result.error)}`);
    ok(begun.number === before, `${what}: the WebAssembly stopped`);
    ok(results[1].error, `${what}: it was signed`);
    key.free();
    client.free();
    count("clocks");
  }
  await works("clock");
});

testCase("an authenticator that does anything is a passkey that was not used, or an answer that is none", async () => {
  const it = await world();
  const real = navigator.credentials;
  const own = Object.getOwnPropertyDescriptor(navigator, "credentials");
  const codes = ["passkey_not_used", "passkey_unsupported", "passkey_rejected", "passkey_already_registered", "aborted", "timeout", "relay_protocol", "invalid_argument"];
  const buffer = (size) => new Uint8Array(size).fill(1).buffer;
  const answers = {
    ...BEHAVIOURS,
    "gives a response without bytes": () => ({ rawId: "x", response: { clientDataJSON: "x" } }),
    "gives too many bytes": () => ({ rawId: buffer(1 << 20), response: { clientDataJSON: buffer(1), authenticatorData: buffer(1), signature: buffer(1), attestationObject: buffer(1) } }),
    "gives bytes that mean nothing": () => ({ rawId: buffer(4), response: { clientDataJSON: buffer(4), authenticatorData: buffer(4), signature: buffer(4), attestationObject: buffer(4), getTransports: () => new Array(2 ** 32 - 1) } }),
    "gives transports that throw": () => ({ rawId: buffer(4), response: { clientDataJSON: buffer(4), attestationObject: buffer(4), getTransports: () => new Proxy([], { get() { throw 1; } }) } }),
    "frees what asked": ({ signal }) => {
      void signal;
      kept.free();
      kept = undefined;
      return new Promise(() => {});
    },
  };
  try {
    for (const [what, behave] of Object.entries(answers)) {
      kept ??= SessionKey.generate();
      Object.defineProperty(navigator, "credentials", { configurable: true, value: { get: behave, create: behave } });
      for (const [name, call] of Object.entries({
        requestPasskey: (signal) => gridkey.requestPasskey({ challenge: "ab".repeat(32), credentialId: "AdKX" }, { signal }),
        createPasskey: (signal) => gridkey.createPasskey(ARGUMENTS.createPasskey(it)[0], { signal }),
      })) {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort(), 100);
        const result = await untrapped(`${name} ${what}`, () => inTime(`${name} ${what}`, () => call(controller.signal)));
        clearTimeout(timer);
        sensible(result, `${name} ${what}`, codes);
        const isTaken = /means? nothing|transports/.test(what);
        ok(result.error || isTaken, `${name} ${what}: it was taken`);
        count("callbacks");
      }
    }
  } finally {
    if (own) Object.defineProperty(navigator, "credentials", own);
    else delete navigator.credentials;
  }
  ok(navigator.credentials === real, "it is back");
  await works("authenticator");
});

testCase("a listener of the state that throws keeps nothing from anybody", async () => {
  const reported = [];
  const { reportError } = globalThis;
  globalThis.reportError = (error) => reported.push(error);
  try {
    for (const [what, behave] of Object.entries(BEHAVIOURS)) {
      if (/rejects/.test(what)) continue;
      const client = createGridkey({ transport: async () => LISTED });
      let heard = 0;
      client.subscribe(behave);
      client.subscribe(() => heard++);
      const session = client.adoptSession(authSession(), SessionKey.generate());
      same([heard, client.session === session, client.state.status], [1, true, "signedIn"], what);
      session.free();
      client.free();
      count("callbacks");
    }
  } finally {
    if (reportError) globalThis.reportError = reportError;
    else delete globalThis.reportError;
  }
  ok(reported.length > 5, "what was thrown is reported");
  await works("subscribe");
});

// Randomness.

testCase("without randomness nothing is made, and nothing in its place", async () => {
  const it = await world();
  const own = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  const real = globalThis.crypto;
  const sources = {
    "no crypto": undefined,
    "null": null,
    "no getRandomValues": {},
    "one that is no function": { getRandomValues: 5 },
    "one that throws": { getRandomValues() { throw new Error("broken"); } },
    "one that throws nothing": { getRandomValues() { throw undefined; } },
    "one that does nothing": { getRandomValues: (array) => array },
    "one that gives zeros": { getRandomValues: (array) => array.fill(0) },
    "one that gives ones": { getRandomValues: (array) => array.fill(0xff) },
    "one that gives the order": { getRandomValues: (array) => (array.length === 32 ? (array.set(fromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")), array) : array.fill(0xff)) },
    "a getter that throws": "getter",
  };
  const { bundle, grid } = it;
  const enclaveKey = grid.enclave.dangerouslyTrust.otp;
  const key = SessionKey.generate();
  const oldRandom = Math.random;
  let asked = 0;
  for (const [what, source] of Object.entries(sources)) {
    Object.defineProperty(globalThis, "crypto", { configurable: true, get: source === "getter" ? () => { throw new Error("broken"); } : () => source });
    Math.random = () => {
      asked++;
      return oldRandom();
    };
    const calls = {
      "SessionKey.generate": () => SessionKey.generate(),
      "SealedKeyReceiver.generate": () => SealedKeyReceiver.generate(),
      "WalletExportKey.generate": () => WalletExportKey.generate(),
      sealOtpCode: () => key.sealOtpCode(bundle, "123456", { enclaveKey }),
      prepareOAuth: () => it.client.prepareOAuth({ authMethodId: it.oauth.id }),
      "prepareOAuth with a redirect": () => it.client.prepareOAuth({ authMethodId: it.oauth.id, redirect: true }),
    };
    try {
      for (const [name, call] of Object.entries(calls)) {
        const before = begun.number;
        const { error, value } = await outcome(call);
        const codes = name.includes("redirect") ? ["storage_unavailable", "randomness_unavailable"] : ["randomness_unavailable"];
        ok(error && gridkey.isGridkeyError(error) && codes.includes(error.code), () => `${what}, ${name}: ${inspect(error ?? value)}`);
        ok(begun.number === before, `${what}, ${name}: the WebAssembly stopped`);
        count("sources of randomness");
      }
    } finally {
      Object.defineProperty(globalThis, "crypto", own);
      Math.random = oldRandom;
    }
  }
  ok(globalThis.crypto === real && asked === 0, "Math.random is nobody's");
  ok((await key.dangerouslyStampUnchecked("x")).length > 100, "signing needs none");
  key.free();
  const keys = new Set(Array.from({ length: 200 }, () => SessionKey.generate()).map((each) => { const { publicKey } = each; each.free(); return publicKey; }));
  same(keys.size, 200);
  await works("randomness");
});

// Objects, and what is said.

testCase("an object gives nothing away, and is not to be copied", async () => {
  const it = await world();
  for (const className of [...CLASSES, "Gridkey"]) {
    const object = await it.make(className);
    const secret = "0123456789abcdef".repeat(4);
    const key = className in gridkey && gridkey[className].dangerouslyFromPrivateKey ? gridkey[className].dangerouslyFromPrivateKey(fromHex(secret)) : object;
    for (const text of [JSON.stringify(key) ?? "", JSON.stringify({ key }), String(key), inspect(key), `${Object.keys(key)}`, JSON.stringify(Object.getOwnPropertyDescriptors(key))]) {
      const found = new Search().add("key", fromHex(secret)).in(utf8(text.padEnd(8)));
      same(found, [], `${className}: ${text}`);
      ok(text.length < 3000, `${className} says too much: ${text}`);
    }
    ok((JSON.stringify(key) ?? "{}").length < 2000, className);
    for (const copy of [() => structuredClone(key), () => new MessageChannel().port1.postMessage(key)]) {
      const { error } = await outcome(copy);
      same(error?.name, "DataCloneError", className);
    }
    same(Object.values(Object.getOwnPropertyDescriptors(key)).filter(({ value }) => value instanceof Uint8Array || typeof value === "number"), [], className);
    if (className !== "Gridkey") key.free();
    count("classes");
  }
});

testCase("every method of an object that was freed says so", async () => {
  const it = await world();
  for (const className of CLASSES) {
    const names = Object.keys(ARGUMENTS).filter((name) => name.startsWith(`${className}.`) && !/generate|FromPrivateKey/.test(name));
    const object = await it.make(className);
    object.free();
    object.free();
    object[Symbol.dispose]?.();
    for (const name of names) {
      const error = await untrapped(name, () => refused("used_after_free", () => callByName(it, name, ARGUMENTS[name](it), object), name));
      same(error.recovery, "integrator");
      count("methods after free");
    }
    for (const [owner, getter] of getters()) {
      if (owner !== className) continue;
      const { value, error } = await outcome(() => object[getter]);
      const isPlain = className === "WalletSession" && getter !== "publicKey";
      if (isPlain) ok(error === undefined && (getter !== "isActive" || value === false), `${className}.${getter}`);
      else same(error?.code, "used_after_free", `${className}.${getter}`);
      count("methods after free");
    }
    // And of one that is none of the class: numbers mean something else in another.
    const another = await it.make(className === "SessionKey" ? "WalletSession" : "SessionKey");
    for (const name of names) {
      const method = Object.getPrototypeOf(object)[name.split(".")[1]];
      for (const other of [another, undefined, null, {}, gridkey, Object.create(object), new Proxy(object, {}), Object.getPrototypeOf(object)]) {
        await untrapped(name, () => refused("invalid_argument", async () => Reflect.apply(method, other, ARGUMENTS[name](it)), name));
      }
    }
  }
  const client = it.makeClient();
  client.free();
  for (const name of Object.keys(ARGUMENTS).filter((name) => /^(Gridkey|api)\./.test(name) && name !== "Gridkey.subscribe")) {
    const [, method] = name.split(".");
    const target = name.startsWith("api.") ? client.api : client;
    await refused("used_after_free", async () => target[method](...ARGUMENTS[name](it)), name);
    count("methods after free");
  }
});

testCase("an error says nothing of what was given", async () => {
  const it = await world();
  // As an id, a code, a token, a key in hex: whatever is refused for its value.
  const canary = `c4n4ry${hex(random(24))}`;
  const search = new Search().add("canary", canary, { piece: 12 });
  logged.length = 0;
  let errors = 0;
  for (const name of Object.keys(ARGUMENTS).filter((name) => !["isSupported", "capabilities", "isGridkeyError"].includes(name))) {
    const object = CLASSES.includes(name.split(".")[0]) ? await it.make(name.split(".")[0]) : undefined;
    it.isRefusing = true;
    for (const [place, put] of places(ARGUMENTS[name](it))) {
      for (const value of [canary, { [canary]: canary }, `${canary}\ud800`, [canary], canary.repeat(40_000), new Error(canary)]) {
        const { error, value: result } = await outcome(async () => {
          const made = await callByName(it, name, put(value), object);
          return name === "createGridkey" ? ONCE(made, { timeoutMs: 20 }) : made;
        });
        if (error === undefined || result !== undefined) continue;
        sensible({ error }, `${name}, ${place}`);
        const { cause, ...fields } = error;
        void cause;
        const said = [error.message, error.stack, String(error), inspect(error), JSON.stringify(error), JSON.stringify(fields), inspect(error.cause)].join("\n");
        same(search.in(utf8(said)), [], `${name}, ${place}`);
        errors++;
      }
    }
    it.isRefusing = false;
    object?.free();
  }
  // What a callback throws is nobody's either.
  for (const options of [{ transport: () => Promise.reject(new Error(canary)) }, { baseUrl: "http://localhost:9", fetch: () => { throw new Error(canary); } }, { baseUrl: "http://localhost:9", headers: () => { throw canary; } }, { transport: async () => ({ status: 200, body: canary }) }, { transport: async () => ({ status: 201, body: { [canary]: canary } }) }]) {
    const error = await refused(ANY, () => ONCE(createGridkey(options), { timeoutMs: 20 }));
    same(search.in(utf8([error.message, error.stack, inspect(error), JSON.stringify(error)].join("\n"))), []);
    errors++;
  }
  same(search.in(utf8(logged.flat().map(String).join("\n").padEnd(8))), [], "the console");
  ok(errors > 500, `${errors} errors`);
  count("errors read", errors);
});

testCase("the documentation says what a page can do, and what is not prevented", async () => {
  const readme = await textOf("pkg/README.md");
  ok(/A script that runs in your page can call this package as your page does/.test(readme), "pkg/README.md");
});
