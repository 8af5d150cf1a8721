// Takes the README's picture of the page: `GRIDKEY_DEMO_URL=… node screenshot.mjs [file]`

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

import { LoginPage, closeBrowser } from "./login-page.mjs";
import * as sandbox from "./sandbox.mjs";

const file = process.argv[2] ?? fileURLToPath(new URL("../../docs/login-page.png", import.meta.url));

await sandbox.reset();
const page = await LoginPage.open({ viewport: { width: 1200, height: 960 }, colorScheme: "light" });
try {
  await page.signInByCode();
  await page.addPasskey("Ada's laptop");
  await page.signOut();
  await page.signInByPasskey();
  await page.refresh();
  await page.lie("swapPayload");
  await page.button("Stay signed in").click();
  await page.noticed();
  await page.page.evaluate(() => scrollTo(0, 0));
  await mkdir(dirname(file), { recursive: true });
  await page.page.screenshot({ path: file });
  console.log(file);
} finally {
  await page.close();
  await closeBrowser();
}
