// What the package would use of a browser, asked of the browser itself, and which engines are known
// to answer that they lack it. A test holds this list against what they answer: it fails when an
// engine learns something, and the tests that need it then apply.

import { WebDriverError } from "./webdriver.mjs";

/** An authenticator such as a phone's own: it checks who is using it, and agrees to everything. */
export const AUTHENTICATOR = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  isUserConsenting: true,
};

const typeOf = (expression) => async (browser) => {
  const type = await browser.run(`() => typeof ${expression}`);
  return type === "undefined" ? `\`${expression}\` is undefined` : undefined;
};

/** By name: what resolves to the engine's own words, where it lacks the feature. */
const FEATURES = {
  WebAssembly: typeOf("WebAssembly"),
  "compiling while it loads": typeOf("WebAssembly.compileStreaming"),
  WebCrypto: typeOf("crypto.subtle"),
  IndexedDB: typeOf("indexedDB"),
  "module workers": (browser) =>
    browser.run(() => {
      let asked = false;
      const options = { get type() { return (asked = true, "module"); } };
      const address = URL.createObjectURL(new Blob([""]));
      new Worker(address, options).terminate();
      return asked ? undefined : "`type` of a worker's options is not read";
    }),
  "`using`": typeOf("Symbol.dispose"),
  passkeys: typeOf("PublicKeyCredential"),
  "virtual authenticators": async (browser) => {
    try {
      const id = await browser.send("POST", "webauthn/authenticator", AUTHENTICATOR);
      await browser.send("DELETE", `webauthn/authenticator/${id}`);
    } catch (error) {
      if (error instanceof WebDriverError) return `its WebDriver says "${error.code}"`;
      throw error;
    }
  },
};

/** What the browser says that it lacks, by feature. */
export async function lacks(browser) {
  const answers = {};
  for (const [feature, ask] of Object.entries(FEATURES)) {
    const answer = await ask(browser);
    if (answer) answers[feature] = answer;
  }
  return answers;
}

/** What each engine is known to lack, in its own words. */
export const KNOWN = {
  chromium: {},
  firefox: {},
  webkit: {
    "`using`": "`Symbol.dispose` is undefined",
    passkeys: "`PublicKeyCredential` is undefined",
    "virtual authenticators": 'its WebDriver says "unknown command"',
  },
};
