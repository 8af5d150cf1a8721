// A client of WebDriver (https://www.w3.org/TR/webdriver2/), as far as these tests need one: the same
// words to chromedriver, geckodriver and WebKitWebDriver.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const SCRIPT_LIMIT_MS = 60_000;

/** What a driver answers in place of a result. */
export class WebDriverError extends Error {
  name = "WebDriverError";
  constructor(command, status, { error, message } = {}) {
    super(`${command}: ${error ?? `HTTP ${status}`}${message ? `: ${message.split("\n")[0]}` : ""}`);
    /** The specification's word for it, such as "unknown command". */
    this.code = error;
  }
}

export class Browser {
  #driver;
  #session;

  /** Starts `program`, a driver, and by it a browser that has these capabilities. */
  static async start(program, capabilities) {
    const port = await freePort();
    const driver = spawn(program, [`--port=${port}`], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    driver.stderr.on("data", (data) => (said = `${said}${data}`.slice(-4000)));
    const browser = new Browser();
    browser.#driver = driver;
    try {
      const address = `http://127.0.0.1:${port}`;
      await Promise.race([
        answers(address),
        once(driver, "exit").then(([status]) => Promise.reject(new Error(`it ended with ${status}`))),
        once(driver, "error").then(([error]) => Promise.reject(error)),
      ]);
      const { sessionId, capabilities: got } = await command(address, "POST", "session", { capabilities: { alwaysMatch: capabilities } });
      browser.#session = `${address}/session/${sessionId}`;
      browser.name = got.browserName;
      browser.version = got.browserVersion;
      await browser.send("POST", "timeouts", { script: SCRIPT_LIMIT_MS });
      return browser;
    } catch (error) {
      driver.kill();
      throw new Error(`${program} gives no browser: ${error.message}\n${said}`, { cause: error });
    }
  }

  /** A command of the session; rejects with a {@link WebDriverError}. */
  send(method, path, body) {
    return command(this.#session, method, path, body);
  }

  goto(url) {
    return this.send("POST", "url", { url: String(url) });
  }

  url() {
    return this.send("GET", "url");
  }

  /**
   * Runs `script`, a function or the source of one, in the page, and resolves to what it resolves
   * to. Arguments and result are JSON.
   */
  async run(script, ...args) {
    const body = `
      const done = arguments[arguments.length - 1];
      const args = Array.prototype.slice.call(arguments, 0, -1);
      (async () => (${script})(...args))().then(
        (value) => done({ value }),
        (error) => done({ error: String(error), stack: String(error && error.stack) }),
      );`;
    const { value, error, stack } = await this.send("POST", "execute/async", { script: body, args });
    if (error !== undefined) throw new Error(`${error}\n  in the page: ${stack}`);
    return value;
  }

  /** Resolves as soon as `condition`, run in the page, is true, also of the page that comes after it. */
  async until(condition, limitMs = 15_000) {
    const end = Date.now() + limitMs;
    let last;
    do {
      // A page that is just being replaced has no answer.
      last = await this.run(condition).catch((error) => error);
      if (last === true) return;
      await sleep(50);
    } while (Date.now() < end);
    throw new Error(`after ${limitMs} ms this was not true: ${condition} (${last})`);
  }

  async click(css) {
    const found = await this.send("POST", "element", { using: "css selector", value: css });
    await this.send("POST", `element/${found[ELEMENT]}/click`, {});
  }

  async close() {
    await this.send("DELETE", "").catch(() => {});
    if (this.#driver.exitCode === null) {
      this.#driver.kill();
      await once(this.#driver, "exit");
    }
  }
}

async function command(base, method, path, body) {
  const response = await fetch(path ? `${base}/${path}` : base, {
    method,
    ...(body && { headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(body) }),
  });
  const { value } = await response.json();
  if (!response.ok) throw new WebDriverError(`${method} ${path}`, response.status, value ?? {});
  return value;
}

async function answers(address) {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    const status = await fetch(`${address}/status`).catch(() => undefined);
    if (status) return;
    await sleep(50);
  }
  throw new Error("it did not answer in 30 s");
}

/** A port that was free a moment ago: drivers cannot say which one they took. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
