/** The few forms of protobuf's wire that are read and written by hand here: varints, lengths, and what is between them. */

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

export function numberField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(field * 8), varint(value)]);
}

export function bytesField(field: number, value: string | Uint8Array): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

/** A field's number and its value: a number, or bytes. */
export type Field = readonly [number, number | Uint8Array];

/** Every field of a message; undefined for bytes that are none. */
export function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 127) * 128 ** shift;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < bytes.length) {
    const tag = next();
    const value = next();
    if (Number.isNaN(tag) || Number.isNaN(value)) return undefined;
    if (tag % 8 === 0) fields.push([Math.floor(tag / 8), value]);
    else if (tag % 8 === 2 && at + value <= bytes.length) {
      fields.push([Math.floor(tag / 8), bytes.subarray(at, at + value)]);
      at += value;
    } else return undefined;
  }
  return fields;
}

export function textIn(fields: readonly Field[], number: number): string {
  const found = fields.find(([field]) => field === number)?.[1];
  return found instanceof Uint8Array ? Buffer.from(found.buffer, found.byteOffset, found.length).toString() : "";
}

export function numberIn(fields: readonly Field[], number: number): number {
  const found = fields.find(([field]) => field === number)?.[1];
  return typeof found === "number" ? found : 0;
}

export function messagesIn(fields: readonly Field[], number: number): Field[][] {
  return fields
    .filter(([field]) => field === number)
    .map(([, value]) => (value instanceof Uint8Array ? (fieldsOf(value) ?? []) : []));
}
