// The login page in a real browser, driven as a person would: by what it shows.

import { launch } from "./browser.mjs";
import * as sandbox from "./sandbox.mjs";

/** What the sandbox accepts, whatever it was asked for. */
export const CODE = "000000";

let browser;

export async function closeBrowser() {
  await (await browser)?.close();
}

export class LoginPage {
  /** Errors and warnings of the page and of the browser that no one expects. */
  problems = [];
  /** Requests to the relay that were answered: `{ method, path, status, sent, stampedBy, received }`. */
  traffic = [];
  #expected = [];

  static async open({ keys = "sealed", ...context } = {}) {
    const self = new LoginPage();
    self.keys = keys;
    browser ??= launch();
    self.context = await (await browser).newContext({ viewport: { width: 1280, height: 900 }, ...context });
    self.page = await self.context.newPage();
    self.page.setDefaultTimeout(10_000);
    self.#watch();
    await self.#record();
    self.authenticator = await VirtualAuthenticator.add(self.page);
    await self.load();
    return self;
  }

  async load() {
    const address = new URL(sandbox.DEMO_URL);
    address.searchParams.set("session-keys", this.keys);
    await this.page.goto(address.href);
    await this.button("E-mail me a code").waitFor();
  }

  close() {
    return this.context.close();
  }

  /** The browser itself reports requests that fail; a test that makes them fail says so first. */
  expectProblem(pattern) {
    this.#expected.push(pattern);
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  heading(name) {
    return this.page.getByRole("heading", { name, exact: true });
  }

  /** Waits until the page says so in one of its status regions. */
  says(text) {
    return this.page.getByRole("status").filter({ hasText: text }).first().waitFor();
  }

  get codeField() {
    return this.page.getByRole("textbox", { name: "Code" });
  }

  // What a person does

  async askForCode() {
    await this.button("E-mail me a code").click();
    await this.heading("Enter your code").waitFor();
  }

  async askForAnotherCode() {
    await this.button("Send another code").click();
    await this.says("A new code is on its way.");
  }

  async enterCode(code = CODE) {
    await this.codeField.fill(code);
    await this.button("Sign in").click();
  }

  async signInByCode() {
    await this.askForCode();
    await this.enterCode();
    await this.unlocked();
  }

  /**
   * Signs in, and has the session's key delivered as the switch says: that of a session by code is
   * always made here.
   */
  async unlock() {
    await this.signInByCode();
    await this.refresh();
    const { sealed } = (await sandbox.sessions()).at(-1);
    if (sealed !== (this.keys === "sealed")) throw new Error(`the key was ${sealed ? "" : "not "}sealed`);
  }

  unlocked() {
    return this.heading("Your wallet is unlocked").waitFor();
  }

  /** Goes to a part of the wallet. */
  tab(name) {
    return this.page.getByRole("tab", { name, exact: true }).click();
  }

  async addPasskey(nickname) {
    await this.tab("Sign-in");
    await this.button("Add a passkey").click();
    await this.page.getByRole("textbox", { name: "Name of the passkey" }).fill(nickname);
    await this.button("Create passkey").click();
    await this.says(`“${nickname}” was added`);
  }

  // What else can be done with a wallet

  textbox(name) {
    return this.page.getByRole("textbox", { name });
  }

  region(name) {
    return this.page.getByRole("region", { name, exact: true });
  }

  /** Adds the customer's phone number, which opens a session by it. */
  async addPhone(number = "+1 (415) 555-0101") {
    await this.tab("Sign-in");
    await this.button("Add a text message code").click();
    await this.textbox("Your phone number").fill(number);
    await this.button("Send a code").click();
    await this.codeField.fill(CODE);
    await this.button("Confirm").click();
    await this.says("was added, and you are signed in with it now");
  }

  /** Adds the account at the sandbox's identity provider, which opens in a window. */
  async addProvider() {
    await this.tab("Sign-in");
    await this.button("Add Sandbox sign-in").click();
    await this.signInAtWindow();
    await this.says("was added. You can sign in with it from now on.");
  }

  async signInAtWindow(name = "Ada") {
    const opened = this.page.waitForEvent("popup");
    await this.button("Open Sandbox sign-in").click();
    const popup = await opened;
    const closed = popup.waitForEvent("close");
    await popup.getByRole("button", { name: `Sign in as ${name}` }).click();
    await closed;
  }

  async askForQuote(amount = "12.50") {
    await this.tab("Pay");
    await this.textbox(/^Amount/).fill(amount);
    await this.button("See what it costs").click();
    await this.heading("Is this right?").waitFor();
  }

  async fetchWords() {
    await this.tab("Settings");
    await this.button("Read the warning first").click();
    await this.page.getByRole("checkbox").check();
    await this.button("Fetch my words").click();
  }

  /** Has the relay lie once, by the developer panel's switch. */
  async lie(lie) {
    await this.page.locator("#lie").selectOption(lie);
    await this.button("Lie once").click();
    await this.says("The next answer that this can be in will be false.");
  }

  /** What the developer panel says that the client noticed. */
  async noticed() {
    const notice = this.region("Make the relay lie").getByRole("status");
    await notice.getByText("The client noticed").waitFor();
    const [names, values] = await Promise.all([notice.locator("dt").allInnerTexts(), notice.locator("dd").allInnerTexts()]);
    return { text: await notice.innerText(), ...Object.fromEntries(names.map((name, index) => [name, values[index]])) };
  }

  /** What a browser does with a page that nobody looks at any more. */
  setVisible(visible) {
    return this.page.evaluate((visible) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, value: visible ? "visible" : "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    }, visible);
  }

  async signInByPasskey() {
    await this.button("Sign in with a passkey").click();
    await this.unlocked();
  }

  /** Waits until the passkey's challenge is ready, before anybody asks for it. */
  async challenged() {
    const entries = this.page.getByRole("region", { name: /^Requests/ }).getByRole("listitem");
    // A code is challenged without a key.
    await entries.filter({ hasText: /^200challengeAuthCredential.*clientPublicKey/s }).last().waitFor();
  }

  async signOut() {
    await this.button("Sign out").click();
    await this.says("You are signed out.");
    await this.heading("Unlock your wallet").waitFor();
  }

  async refresh() {
    await this.button("Stay signed in").click();
    await this.says("Your session was renewed");
  }

  /** Has a device code issued and reads it. */
  async issueDeviceCode() {
    await this.tab("Agents");
    const code = this.page.getByRole("status", { name: "Device code" });
    const old = (await code.isVisible()) ? await code.innerText() : undefined;
    await this.button(old ? "Issue another code" : "Issue a code").click();
    await this.says("Here is your code.");
    return code.filter(old ? { hasNotText: old } : {}).innerText();
  }

  /** What the developer panel says of the session: `{ id, publicKey, expiresAt }`. */
  async session() {
    const facts = this.page.getByRole("region", { name: "Session in detail" }).locator("dl");
    const names = await facts.locator("dt").allInnerTexts();
    const values = await facts.locator("dd").allInnerTexts();
    return Object.fromEntries(names.map((name, index) => [name, values[index]]));
  }

  /** The requests that carried a stamp. */
  signed() {
    return this.traffic.filter(({ stampedBy }) => stampedBy !== undefined);
  }

  /** The next signed request to such an address never arrives. */
  async failSigned(address) {
    let failed = false;
    await this.page.route(address, (route) => {
      if (failed || route.request().headers()["grid-wallet-signature"] === undefined) return route.continue();
      failed = true;
      return route.abort();
    });
  }

  /** The answers with sessions, in the order in which they came. */
  sessionsReceived() {
    return this.traffic.map(({ received }) => received).filter((body) => body?.id?.startsWith("Session:"));
  }

  /** What a failed test leaves behind, for people. */
  async report() {
    const shown = await this.page.locator("h1, [role=status]").allInnerTexts().catch(() => ["the page is gone"]);
    const entries = await this.page.locator(".entry").allTextContents().catch(() => []);
    return [...shown.filter(Boolean), ...this.problems, ...entries].map((line) => `\n  ${line.replaceAll("\n", " ")}`).join("");
  }

  #watch() {
    const problem = (text) => {
      if (!this.#expected.some((pattern) => pattern.test(text))) this.problems.push(text);
    };
    this.page.on("pageerror", (error) => problem(`uncaught: ${error.stack ?? error}`));
    this.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problem(`console: ${message.text()}`);
    });
  }

  /**
   * Notes each answer of the relay before the page gets it. The DevTools protocol would tell of
   * them too, but later, and not always with the bodies that are read as streams.
   */
  async #record() {
    await this.page.exposeFunction("recordExchange", ({ method, url, status, sent, stamp, received }) => {
      const path = new URL(url).pathname;
      this.traffic.push({ method, path, status, sent: json(sent), stampedBy: stampKey(stamp), received: json(received) });
    });
    await this.page.addInitScript(() => {
      const { fetch } = globalThis;
      globalThis.fetch = async (url, options) => {
        const response = await fetch(url, options);
        if (!response.url.includes("/api/grid/")) return response;
        const { method, body: sent, headers } = options;
        const stamp = new Headers(headers).get("Grid-Wallet-Signature");
        const { status } = response;
        await globalThis.recordExchange({ method, url: response.url, status, sent, stamp, received: await response.clone().text() });
        return response;
      };
    });
  }
}

/** The public key in a stamp: base64url of JSON. */
function stampKey(stamp) {
  return stamp === null ? undefined : json(Buffer.from(stamp, "base64url").toString()).publicKey;
}

function json(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** A device with a passkey store, of the DevTools protocol. */
export class VirtualAuthenticator {
  static async add(page) {
    const self = new VirtualAuthenticator();
    self.devtools = await page.context().newCDPSession(page);
    await self.devtools.send("WebAuthn.enable");
    await self.#plugIn();
    return self;
  }

  /** From now on it is another device, without any passkey. */
  async replace() {
    await this.#send("removeVirtualAuthenticator");
    await this.#plugIn();
  }

  /** Whether somebody touches the device when it asks. */
  setPresent(enabled) {
    return this.#send("setAutomaticPresenceSimulation", { enabled });
  }

  /** Whether the device recognises them. */
  setRecognised(isUserVerified) {
    return this.#send("setUserVerified", { isUserVerified });
  }

  async #plugIn() {
    const { authenticatorId } = await this.devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    this.authenticatorId = authenticatorId;
  }

  #send(command, options = {}) {
    return this.devtools.send(`WebAuthn.${command}`, { authenticatorId: this.authenticatorId, ...options });
  }
}
