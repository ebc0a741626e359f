/**
 * gRPC's server reflection (grpc.reflection.v1 and v1alpha, which have the same bytes), from the descriptors that buf made of
 * the .proto files, comments and all: `grpcurl describe` shows the contract as it was written.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { publicServiceNames } from "./public-service.ts";
import { bytesField, type Field, fieldsOf, messagesIn, numberField, textIn } from "./wire.ts";

export const reflectionPaths: readonly string[] = [
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/** Places in google/protobuf/descriptor.proto. */
const inSet = { file: 1 } as const;
const inFile = { name: 1, package: 2, dependency: 3, message: 4, enum: 5, service: 6 } as const;
const inMessage = { name: 1, field: 2, nested: 3, enum: 4, oneof: 8 } as const;
const inEnum = { name: 1, value: 2 } as const;
const inService = { name: 1, method: 2 } as const;
/** Of a field, a value, a method, a oneof. */
const itsName = 1;

/** Places in grpc/reflection/v1/reflection.proto. */
const asked = { fileByFilename: 3, fileContainingSymbol: 4, allExtensionNumbers: 6, listServices: 7 } as const;
const answered = { originalRequest: 2, files: 4, extensionNumbers: 5, services: 6, error: 7 } as const;
const notFound = 5;
const invalidArgument = 3;

interface File {
  readonly bytes: Uint8Array;
  readonly dependencies: readonly string[];
}

export class Descriptors {
  readonly #files = new Map<string, File>();
  /** Full name of what is declared → file. */
  readonly #symbols = new Map<string, string>();

  /** `set`: a google.protobuf.FileDescriptorSet. */
  constructor(set: Uint8Array) {
    for (const [field, bytes] of fieldsOf(set) ?? []) {
      if (field !== inSet.file || !(bytes instanceof Uint8Array)) continue;
      const file = fieldsOf(bytes) ?? [];
      const dependencies = file.filter(([at]) => at === inFile.dependency).map((each) => textIn([each], each[0]));
      const name = textIn(file, inFile.name);
      this.#files.set(name, { bytes, dependencies });
      for (const symbol of symbolsOf(file)) this.#symbols.set(symbol, name);
    }
  }

  get symbols(): readonly string[] {
    return [...this.#symbols.keys()];
  }

  /** A file and all that it needs, itself first; undefined: there is no such file. */
  withDependencies(name: string): readonly Uint8Array[] | undefined {
    if (!this.#files.has(name)) return undefined;
    const names = [name];
    for (const each of names) {
      for (const needed of this.#files.get(each)?.dependencies ?? []) if (!names.includes(needed)) names.push(needed);
    }
    return names.flatMap((each) => this.#files.get(each)?.bytes ?? []);
  }

  fileOf(symbol: string): string | undefined {
    return this.#symbols.get(symbol.replace(/^\./, ""));
  }
}

function symbolsOf(file: readonly Field[]): string[] {
  const space = textIn(file, inFile.package);
  const prefix = space === "" ? "" : `${space}.`;
  return [
    ...messagesIn(file, inFile.message).flatMap((each) => symbolsOfMessage(each, prefix)),
    ...messagesIn(file, inFile.enum).flatMap((each) => symbolsOfEnum(each, prefix)),
    ...messagesIn(file, inFile.service).flatMap((each) => {
      const name = `${prefix}${textIn(each, inService.name)}`;
      return [name, ...namesIn(each, inService.method, name)];
    }),
  ];
}

function symbolsOfMessage(message: readonly Field[], prefix: string): string[] {
  const name = `${prefix}${textIn(message, inMessage.name)}`;
  return [
    name,
    ...namesIn(message, inMessage.field, name),
    ...namesIn(message, inMessage.oneof, name),
    ...messagesIn(message, inMessage.nested).flatMap((each) => symbolsOfMessage(each, `${name}.`)),
    ...messagesIn(message, inMessage.enum).flatMap((each) => symbolsOfEnum(each, `${name}.`)),
  ];
}

/** A value's name stands beside its enum's, not below it. */
function symbolsOfEnum(each: readonly Field[], prefix: string): string[] {
  const values = messagesIn(each, inEnum.value).map((value) => `${prefix}${textIn(value, itsName)}`);
  return [`${prefix}${textIn(each, inEnum.name)}`, ...values];
}

function namesIn(parent: readonly Field[], field: number, prefix: string): string[] {
  return messagesIn(parent, field).map((each) => `${prefix}.${textIn(each, itsName)}`);
}

const place = fileURLToPath(new URL("gen/quorate-v1.binpb", import.meta.url));
let loaded: Descriptors | undefined;

export function publicDescriptors(): Descriptors {
  loaded ??= new Descriptors(readFileSync(place));
  return loaded;
}

/** One ServerReflectionRequest's bytes to one ServerReflectionResponse's. */
export function answerReflection(request: Uint8Array): Buffer {
  const fields = fieldsOf(request);
  const answer = fields === undefined ? failure(invalidArgument, "these bytes are no request") : answerOf(fields);
  return Buffer.concat([bytesField(answered.originalRequest, request), answer]);
}

function answerOf(fields: readonly Field[]): Buffer {
  const [question] = fields.findLast(([field]) => field >= asked.fileByFilename) ?? [0];
  const text = textIn(fields, question);
  const descriptors = publicDescriptors();
  switch (question) {
    case asked.fileByFilename:
      return filesOf(text, text);
    case asked.fileContainingSymbol:
      return filesOf(descriptors.fileOf(text) ?? "", text);
    case asked.allExtensionNumbers: {
      if (descriptors.fileOf(text) === undefined) return failure(notFound, `there is no ${text} here`);
      return bytesField(answered.extensionNumbers, bytesField(1, text));
    }
    case asked.listServices: {
      const names = Object.values(publicServiceNames).map((name) => bytesField(1, bytesField(1, name)));
      return bytesField(answered.services, Buffer.concat(names));
    }
    default:
      return failure(notFound, "there are no extensions here");
  }
}

function filesOf(name: string, wanted: string): Buffer {
  const files = publicDescriptors().withDependencies(name);
  if (files === undefined) return failure(notFound, `there is no ${wanted} here`);
  return bytesField(answered.files, Buffer.concat(files.map((each) => bytesField(1, each))));
}

function failure(code: number, message: string): Buffer {
  return bytesField(answered.error, Buffer.concat([numberField(1, code), bytesField(2, message)]));
}
