// The package as npm installs it: packed, and unpacked into somebody's node_modules.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A directory with a project in it that has the package, and the tarball. Remove it by `remove()`. */
export async function installed() {
  const directory = await mkdtemp(join(tmpdir(), "gridkey-installed-"));
  const from = fileURLToPath(new URL("../../pkg", import.meta.url));
  const { stdout } = await run("npm", ["pack", from, "--silent", "--ignore-scripts", "--pack-destination", directory]);
  const tarball = join(directory, stdout.trim());
  const target = join(directory, "node_modules/gridkey");
  await mkdir(target, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"]);
  await writeFile(join(directory, "package.json"), '{ "private": true }');
  return { directory, target, tarball, remove: () => rm(directory, { recursive: true }) };
}
