import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import {
  devSettings,
  gatewaySettings,
  listenAddress,
  parseMembers,
  recoverSettings,
  requireKey,
  serveSettings,
} from "./options.ts";
import { formatHelp, formatSettings, readSettings, refuseUnknownVariables, SettingsError } from "./settings.ts";

let folder: string;
const digest = "super:lK75jTNcA+U9vtVEw5vB51mj/w4=";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "quorate-settings-"));
});
after(() => rmSync(folder, { recursive: true }));

function file(text: string): string {
  const path = join(folder, "quorate.yaml");
  writeFileSync(path, text);
  return path;
}

function refuses(run: () => unknown, ...says: readonly RegExp[]): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof SettingsError, String(error));
    for (const each of says) assert.match(error.message, each);
    return true;
  });
}

describe("settings", () => {
  it("a flag comes before the variable, that before the file, that before the default", () => {
    const config = file("restPort: 3\nrestHost: file\nname: file\n");
    const env = { QUORATE_REST_PORT: "2", QUORATE_REST_HOST: "variable" };
    const values = readSettings(gatewaySettings, ["--rest-port", "1", "--config", config], env);
    assert.deepEqual([values["rest-port"], values["rest-host"], values["name"]], [1, "variable", "file"]);
    assert.equal(readSettings(gatewaySettings, [], env)["name"], "gateway");
    assert.equal(readSettings(gatewaySettings, [], { QUORATE_CONFIG: config })["rest-port"], 3);
  });

  it("a boolean can be taken back by a flag", () => {
    const env = { QUORATE_INITIAL: "true" };
    assert.equal(readSettings(serveSettings, [], env)["initial"], true);
    assert.equal(readSettings(serveSettings, ["--no-initial"], env)["initial"], false);
    assert.equal(readSettings(serveSettings, [], { QUORATE_CONFIG: file("initial: true\n") })["initial"], true);
    refuses(
      () => readSettings(serveSettings, [], { QUORATE_INITIAL: "yes" }),
      /QUORATE_INITIAL is "yes": say true or false/,
    );
  });

  it("a flag that is given a value is refused with how it is written", () => {
    const ways = /write --zookeeper or --no-zookeeper; QUORATE_ZOOKEEPER and zookeeper in the file are true or false/;
    const given = [["--zookeeper", "false"], ["--zookeeper=false"], ["--no-zookeeper", "true"], ["--no-zookeeper="]];
    for (const args of given) {
      const value = JSON.stringify(args[1] ?? args[0]?.split("=")[1]);
      const says = new RegExp(`${args[0]?.split("=")[0]} takes no value, and has ${value}: `);
      refuses(() => readSettings(gatewaySettings, ["--name", "x", ...args], {}), says, ways);
    }
    assert.equal(readSettings(gatewaySettings, ["--no-zookeeper", "--name", "x"], {})["zookeeper"], false);
    assert.equal(readSettings(gatewaySettings, ["--zookeeper"], {})["zookeeper"], true);
  });

  it("in the file a list is joined with commas, and anything else that is no text is refused", () => {
    const config = file("replicas:\n  - 127.0.0.1:1\n  - 127.0.0.1:2\n");
    assert.equal(readSettings(gatewaySettings, ["--config", config], {})["replicas"], "127.0.0.1:1,127.0.0.1:2");
    for (const text of ["replicas: {a: b}\n", "replicas:\n", "replicas: [[a]]\n", "replicas: true\n"]) {
      refuses(() => readSettings(gatewaySettings, ["--config", file(text)], {}), /replicas in the file must be a text/);
    }
    for (const text of ["restPort: [80]\n", "restPort: true\n", "restPort:\n", "restPort: 1.5\n"]) {
      refuses(
        () => readSettings(gatewaySettings, ["--config", file(text)], {}),
        /restPort in the file is .*whole number/,
      );
    }
  });

  it("the unknown is refused by its name", () => {
    refuses(() => readSettings(gatewaySettings, ["--rest-prot", "1"], {}), /--rest-prot/, /Known flags: .*--rest-port/);
    refuses(() => readSettings(gatewaySettings, ["stray"], {}), /'stray'/);
    refuses(
      () => readSettings(gatewaySettings, ["--config", file("rest-port: 1\n")], {}),
      /unknown key "rest-port"/,
      /restPort/,
    );
    refuses(
      () => readSettings(gatewaySettings, ["--config", file("name: a\nname: b\n")], {}),
      /quorate\.yaml.*unique/s,
    );
    refuses(() => readSettings(gatewaySettings, ["--config", file("- a\n")], {}), /must hold keys and values/);
    refuses(() => readSettings(gatewaySettings, ["--config", join(folder, "none")], {}), /none: ENOENT/);
  });

  it("an unknown variable of ours is refused, one of another command's or of Kubernetes' is not", () => {
    const all = [...devSettings, ...gatewaySettings, ...serveSettings, ...recoverSettings];
    refuses(() => refuseUnknownVariables(all, { QUORATE_REST_PROT: "1" }), /QUORATE_REST_PROT/, /QUORATE_REST_PORT/);
    const services = {
      QUORATE_SERVICE_HOST: "10.0.0.1",
      QUORATE_SERVICE_PORT_REST: "80",
      QUORATE_PORT: "tcp://10.0.0.1:80",
    };
    const ports = { QUORATE_PORT_80_TCP_ADDR: "10.0.0.1", QUORATE_PEERS_PORT_7400_TCP: "tcp://10.0.0.1:7400" };
    refuseUnknownVariables(all, { ...services, ...ports, QUORATE_CONFIG: "x", QUORATE_PEER_PORT: "1", HOME: "/" });
  });

  it("a wrong value is refused by its place, and a secret is never repeated", () => {
    refuses(() => readSettings(serveSettings, ["--id", "0"], {}), /--id is "0": .* from 1 to 255/);
    refuses(() => readSettings(serveSettings, [], { QUORATE_ID: "" }), /QUORATE_ID is ""/);
    for (const wrong of ["super:swordfish", "swordfish", ":lK75jTNcA+U9vtVEw5vB51mj/w4="]) {
      refuses(() => readSettings(serveSettings, ["--superuser", wrong], {}), /--superuser must be user:base64/);
      assert.throws(
        () => readSettings(serveSettings, ["--superuser", wrong], {}),
        (error: Error) => !error.message.includes(wrong),
      );
    }
    assert.equal(readSettings(serveSettings, ["--superuser", digest], {})["superuser"], digest);
    for (const wrong of ["10.0.0.0/33", "proxy", "10.0.0.1,::1/129", "10.0.0.1/8/8"]) {
      refuses(() => readSettings(gatewaySettings, ["--trusted-proxies", wrong], {}), /--trusted-proxies has/);
    }
    readSettings(gatewaySettings, ["--trusted-proxies", "10.0.0.1, ::1/128,192.168.0.0/16"], {});
  });

  it("what is printed masks secrets", () => {
    const printed = formatSettings(
      serveSettings,
      readSettings(serveSettings, ["--superuser", digest, "--id", "7"], {}),
    );
    assert.match(printed, / {2}superuser: \*{6}\n?/);
    assert.match(printed, / {2}id: 7\n/);
    assert.ok(!printed.includes(digest));
  });

  it("help names each flag, the variable and the file", () => {
    const help = formatHelp("serve", "one", serveSettings);
    for (const { name } of serveSettings) assert.match(help, new RegExp(`^  --(no-)?${name} `, "m"), name);
    assert.match(help, /^ {2}--no-zookeeper +ZooKeeper's clients are not served$/m);
    assert.match(help, /^ {2}--initial /m);
    assert.match(help, /QUORATE_/);
    assert.match(help, /--config FILE/);
  });

  it("members, addresses and keys", () => {
    assert.deepEqual(
      [...parseMembers("1=a:1, 2=[::1]:2")],
      [
        [1, "a:1"],
        [2, "[::1]:2"],
      ],
    );
    for (const wrong of ["1=a", "0=a:1", "a:1", "", "1=a:1,1=b:2", "1=http://a:1"])
      refuses(() => parseMembers(wrong), /--members/);
    assert.equal(listenAddress("[::1]:7400", undefined), "[::1]:7400");
    assert.equal(listenAddress("host:7400", "0.0.0.0"), "0.0.0.0:7400");
    assert.equal(listenAddress("host:7400", "::"), "[::]:7400");
    refuses(() => requireKey(["127.0.0.1:1", "10.0.0.1:7400"], {}), /10\.0\.0\.1:7400 is another machine.*--key-file/);
    requireKey(["127.0.0.1:1", "[::1]:2", "by-name:3"], {});
    requireKey(["10.0.0.1:7400"], { key: new Uint8Array(16) });
  });
});
