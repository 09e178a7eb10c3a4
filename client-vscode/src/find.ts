// Where the server is: the setting, the workspace's environment, PATH, our own environment; in this order.

import { execFile } from "node:child_process";
import { access, constants, readdir, rm, writeFile } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const WINDOWS = process.platform === "win32";
const BIN = WINDOWS ? "Scripts" : "bin";
const EXE = WINDOWS ? ".exe" : "";
/** Stands in our own environment once all of it is there. */
const WHOLE = "installed";
const ENVIRONMENTS = [".venv", "venv", "env"];

export type Places = {
  /** The setting `attache.server.path`. */
  setting: string;
  /** Folders whose environments count: those of the workspace where it is trusted, else none. */
  folders: string[];
  path: string;
  /** Folder of our own environment for this version. */
  own: string;
};

/** Return the program to start, or undefined where it has to be installed first. Throws where the setting names nothing. */
export async function find(places: Places): Promise<string | undefined> {
  if (places.setting) {
    if (!isAbsolute(places.setting)) throw new Error(`attache.server.path: "${places.setting}" is not an absolute path`);
    if (await runs(places.setting)) return places.setting;
    throw new Error(`attache.server.path: "${places.setting}" is no program`);
  }
  const candidates = [
    ...places.folders.flatMap((folder) => ENVIRONMENTS.map((name) => join(folder, name, BIN, `attache${EXE}`))),
    // A relative entry of PATH would be the workspace's, trusted or not.
    ...places.path.split(delimiter).filter(isAbsolute).map((folder) => join(folder, `attache${EXE}`)),
    ...(await exists(join(places.own, WHOLE)) ? [join(places.own, BIN, `attache${EXE}`)] : []),
  ];
  for (const candidate of candidates) if (await runs(candidate)) return candidate;
  return undefined;
}

async function runs(program: string): Promise<boolean> {
  return access(program, constants.X_OK).then(() => true, () => false);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(() => true, () => false);
}

/** A Python that is new enough: the setting, else the usual names. */
export async function python(setting: string): Promise<string> {
  const names = setting ? [setting] : WINDOWS ? ["py", "python"] : ["python3", "python3.13", "python3.12", "python3.11", "python"];
  for (const name of names) {
    const ok = await run(name, ["-c", "import sys, venv; print(sys.version_info >= (3, 11))"]).then(
      ({ stdout }) => stdout.trim() === "True", () => false);
    if (ok) return name;
  }
  throw new Error(`no Python 3.11 or newer with venv (tried ${names.join(", ")}); set attache.server.python`);
}

/** Install the wheel that came with the extension into an environment of our own, whole or not at all. */
export async function install(own: string, wheels: string, interpreter: string, say: (line: string) => void): Promise<void> {
  const wheel = (await readdir(wheels).catch(() => [])).find((name) => name.endsWith(".whl"));
  if (!wheel) throw new Error("this build of the extension carries no server; install it: pip install attache-ls");
  await rm(own, { recursive: true, force: true });
  say("making an environment");
  await run(interpreter, ["-m", "venv", own]);
  const pip = [join(own, BIN, `python${EXE}`), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"];
  say("fetching what the server needs");
  await start([...pip, "--require-hashes", "-r", join(wheels, "requirements.txt")]);
  say("installing the server");
  await start([...pip, "--no-deps", join(wheels, wheel)]);
  await writeFile(join(own, WHOLE), "");
}

async function start([program = "", ...args]: string[]): Promise<void> {
  try {
    await run(program, args, { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, PIP_REQUIRE_VIRTUALENV: "0" } });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join(" ") ?? String(error);
    throw new Error(`${args.slice(0, 4).join(" ")} failed: ${said}`);
  }
}
