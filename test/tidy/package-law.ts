/** Each package.json names what its workspace imports, no more and no less; the lock names no host. */
import { importsOf, isProgram, isTest, resolveRelative, roomOf, type Source, type Violation } from "./sources.ts";

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export function packageLaw(sources: readonly Source[]): Violation[] {
  const manifests = sources.filter(({ path }) => path.endsWith("/package.json"));
  const top = sources.find(({ path }) => path === "package.json");
  const shared = top ? namesOf((JSON.parse(top.text) as PackageJson).devDependencies) : [];
  return manifests.flatMap((manifest) => {
    const inside = manifests.filter(({ path }) => path !== manifest.path && path.startsWith(folderOf(manifest)));
    const own = sources.filter(({ path }) => !inside.some((each) => path.startsWith(folderOf(each))));
    return judge(manifest, own, shared);
  });
}

function folderOf(manifest: Source): string {
  return manifest.path.slice(0, -"package.json".length);
}

function judge(manifest: Source, sources: readonly Source[], shared: readonly string[]): Violation[] {
  const folder = folderOf(manifest);
  const content = JSON.parse(manifest.text) as PackageJson;
  const dependencies = namesOf(content.dependencies);
  const forDevelopment = [...namesOf(content.devDependencies), ...shared];
  const violations: Violation[] = [];
  const imported = new Set<string>();
  for (const source of sources) {
    if (!source.path.startsWith(folder) || !isProgram(source.path)) continue;
    const develops = isTest(source.path) || !source.path.startsWith(`${folder}src/`);
    for (const { from, line } of importsOf(source)) {
      if (from.startsWith("node:")) continue;
      if (from.startsWith(".")) {
        const room = roomOf(resolveRelative(source.path, from));
        if (room !== undefined) imported.add(`@quorate/${room.split("/").at(-1)}`);
        continue;
      }
      const name = from
        .split("/")
        .slice(0, from.startsWith("@") ? 2 : 1)
        .join("/");
      imported.add(name);
      const known = dependencies.includes(name) || (develops && forDevelopment.includes(name));
      if (!known) violations.push({ path: source.path, line, what: `${manifest.path} does not name ${name}` });
    }
  }
  for (const name of [...dependencies, ...namesOf(content.devDependencies)]) {
    if (!imported.has(name)) violations.push({ path: manifest.path, line: 1, what: `nothing imports ${name}` });
  }
  return violations;
}

/** Whoever installs uses the registry that is set where he installs. */
export function lockLaw(lock: Source): Violation[] {
  const { packages = {} } = JSON.parse(lock.text) as {
    readonly packages?: Readonly<
      Record<string, { readonly resolved?: string; readonly link?: boolean; readonly integrity?: string }>
    >;
  };
  const violations: Violation[] = [];
  for (const [name, { resolved, link, integrity }] of Object.entries(packages)) {
    if (resolved !== undefined && !link)
      violations.push({ path: lock.path, line: 1, what: `${name} is bound to ${resolved}` });
    if (name.startsWith("node_modules/") && !link && integrity === undefined) {
      violations.push({ path: lock.path, line: 1, what: `${name} has no checksum` });
    }
  }
  return violations;
}

function namesOf(dependencies: Readonly<Record<string, string>> | undefined): string[] {
  return Object.keys(dependencies ?? {});
}
