/**
 * nginx and HAProxy as Debian's packages set them up, with the configuration that README.md tells, word for word: only addresses
 * are put in its place, and of the package's own file what belongs to the machine (user, log, socket, files).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { until } from "./ensemble.ts";

export type ProxyName = "nginx" | "HAProxy";

export interface Ports {
  readonly rest: number;
  readonly grpc: number;
}

const packageFiles: Readonly<Record<ProxyName, string>> = {
  nginx: "/etc/nginx/nginx.conf",
  HAProxy: "/etc/haproxy/haproxy.cfg",
};
const programs: Readonly<Record<ProxyName, string>> = { nginx: "/usr/sbin/nginx", HAProxy: "/usr/sbin/haproxy" };

/** Why it cannot be run here. */
export function lacks(name: ProxyName): string | undefined {
  const missing = [programs[name], packageFiles[name]].find((file) => !existsSync(file));
  return missing === undefined ? undefined : `${name}: no ${missing}`;
}

/** Its own ports, and those of the gateways that stand in the README as 10.0.0.1 and 10.0.0.2. */
function configuration(name: ProxyName, own: Ports, gateways: readonly Ports[]): string {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const [, told] = new RegExp(`\n\`\`\`${name.toLowerCase()}\n([^]*?)\n\`\`\``).exec(readme) ?? [];
  if (told === undefined) throw new Error(`README.md has no configuration for ${name}`);
  let text = told;
  const put = (address: string, with_: string): void => {
    if (!text.includes(address)) throw new Error(`${name} in README.md: no ${address}`);
    text = text.replaceAll(address, with_);
  };
  gateways.forEach(({ rest, grpc }, i) => {
    put(`10.0.0.${i + 1}:8080`, `127.0.0.1:${rest}`);
    put(`10.0.0.${i + 1}:9090`, `127.0.0.1:${grpc}`);
  });
  const listen = name === "nginx" ? "listen " : "bind :";
  put(`${listen}80`, `${listen.replace(":", "")}127.0.0.1:${own.rest}`);
  put(`${listen}9090`, `${listen.replace(":", "")}127.0.0.1:${own.grpc}`);
  return text;
}

export class ProxyProcess {
  readonly name: ProxyName;
  readonly ports: Ports;
  readonly base: string;
  output = "";
  readonly #folder = mkdtempSync(join(tmpdir(), "quorate-proxy-"));
  readonly #child: ChildProcess;

  constructor(name: ProxyName, ports: Ports, gateways: readonly Ports[]) {
    this.name = name;
    this.ports = ports;
    this.base = `http://127.0.0.1:${ports.rest}`;
    const told = configuration(name, ports, gateways);
    const packaged = readFileSync(packageFiles[name], "utf8");
    const file = join(this.#folder, "configuration");
    writeFileSync(file, name === "nginx" ? this.#ofNginx(packaged, told) : ofHaproxy(packaged, told));
    const args = name === "nginx" ? ["-c", file, "-g", "daemon off;"] : ["-db", "-f", file];
    this.#child = spawn(programs[name], args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
  }

  async ready(): Promise<void> {
    await until(
      async () => {
        if (this.#child.exitCode !== null) throw new Error(this.output);
        const answered = await fetch(`${this.base}/readyz`);
        return answered.ok && (await accepts(this.ports.grpc));
      },
      10_000,
      () => `${this.name} is ready: ${this.output}`,
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ofNginx(packaged: string, told: string): string {
    const site = join(this.#folder, "quorate.conf");
    writeFileSync(site, told);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((each) => {
      mkdirSync(join(this.#folder, each));
      return `${each}_temp_path ${join(this.#folder, each)};`;
    });
    return packaged
      .replace(/^user .*;/m, `user ${userInfo().username};`)
      .replace(/^pid .*;/m, `pid ${join(this.#folder, "pid")};`)
      .replace(/^error_log .*;/m, "error_log stderr;")
      .replace(/^\s*access_log .*;/m, "access_log off;")
      .replace(/^\s*include \/etc\/nginx\/conf\.d\/.*;/m, `${paths.join(" ")} include ${site};`)
      .replace(/^\s*include \/etc\/nginx\/sites-enabled\/.*;/m, "");
  }
}

function ofHaproxy(packaged: string, told: string): string {
  const [before = "", defaults = ""] = packaged.split(/^(?=defaults)/m);
  const global = before.replace(/^\s*(log|chroot|stats|user|group|daemon)\b.*$/gm, "");
  return `${global}${defaults}\n${told}\n`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
