import assert from "node:assert/strict";
import * as core from "@sipkit/core";
import {
  authorization,
  contentType,
  from,
  type HeaderField,
  type Packet,
  ParseError,
  parsePacket,
  parseUri,
  path,
  proxyAuthenticate,
  proxyAuthorization,
  recordRoute,
  route,
  serviceRoute,
  to,
  uriEquals,
  validate,
  via,
  wwwAuthenticate,
} from "@sipkit/core";

/** Every header that core exports. */
const FIELDS: readonly HeaderField<never>[] = Object.values(core).filter(
  (value: unknown): value is HeaderField<never> =>
    typeof value === "object" && value !== null && "parse" in value && "format" in value,
);

/** What a function gives; `undefined` when it throws a `ParseError`. Anything else that it throws is a fault. */
function parsed<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** Whether bytes are a packet whose every part can be read, or are refused, in no other way than with a `ParseError`. */
export function checkParse(wire: string): void {
  const bytes = Buffer.from(wire, "latin1");
  const packet = parsed(() => parsePacket(bytes));
  if (packet === undefined) return;
  checkWire(packet);
  readAll(packet);
  // Nothing of what was read may have changed it.
  checkWire(packet);
  if (parsed(() => validate(packet) ?? true) === true) checkValid(packet);
}

/** What is sent is read as the same, and sent as the same again. */
function checkWire(packet: Packet): void {
  const sent = packet.toWire();
  const again = parsePacket(sent);
  assert.equal(again.toWire(), sent);
  assert.equal(Buffer.from(packet.toBytes()).toString("latin1"), sent);
  assert.deepEqual(linesOf(again), linesOf(packet));
  const copy = packet.clone();
  copy.headers.prepend("X-Fuzz", "1");
  copy.headers.delete("X-Fuzz");
  parsePacket(copy.toWire());
  assert.equal(packet.toWire(), sent);
}

/** The lines but for Content-Length, which is put on where brackets round the request-URI were taken off. */
function linesOf({ headers }: Packet): readonly (readonly [name: string, value: string])[] {
  return [...headers].filter(([name]) => !/^(?:content-length|l)$/i.test(name));
}

function readAll(packet: Packet): void {
  const { headers } = packet;
  for (const field of FIELDS) {
    const first = parsed(() => headers.read(field));
    const all = parsed(() => headers.readAll(field));
    if (all !== undefined && all.length > 0) assert.deepEqual(first, all[0]);
    // What was read can be written, and is read as the same.
    if (first !== undefined) {
      const written = parsed(() => field.format(first));
      if (written !== undefined) parsed(() => field.parse(written));
    }
  }
  for (const name of ["tag", "branch", "username", "boundary", "lr"]) {
    for (const field of [from, to, route, recordRoute, path, serviceRoute]) {
      parsed(() => headers.param(field, name));
    }
    for (const field of [authorization, proxyAuthorization, wwwAuthenticate, proxyAuthenticate]) {
      parsed(() => headers.param(field, name));
    }
    parsed(() => headers.param(via, name));
    parsed(() => headers.param(contentType, name));
  }
  for (const [name] of headers) {
    headers.get(name);
    headers.getAll(name);
    assert.equal(headers.has(name), true);
  }
  for (const read of [
    () => packet.from,
    () => packet.to,
    () => packet.cseq,
    () => packet.callId,
    () => packet.fromTag,
    () => packet.toTag,
    () => packet.branch,
    () => packet.topmostVia,
    () => packet.method,
  ]) {
    parsed<unknown>(read);
  }
  if (!packet.isRequest) return;
  const uri = parsed(() => parseUri(packet.uri));
  if (uri !== undefined) assert.equal(uriEquals(uri, packet.uri), true);
}

/** A valid request can be answered, acknowledged and cancelled, and what comes of it is valid. */
function checkValid(packet: Packet): void {
  if (!packet.isRequest) return;
  for (const status of [100, 200, 404]) {
    const response = packet.createResponse(status);
    const sent = parsePacket(response.toWire());
    validate(sent);
    assert.equal(sent.headers.get("call-id"), packet.headers.get("call-id"));
    if (packet.method === "INVITE" && status > 100) {
      parsed(() => validate(parsePacket(packet.createAck(response).toWire())));
    }
  }
  if (packet.method === "INVITE") validate(parsePacket(packet.createCancel().toWire()));
}
