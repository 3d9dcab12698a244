/**
 * The platform's floor: answers 401, then 200, with the least string work, checks nothing.
 * It relies on the order of the header lines in `sipp/register.xml`.
 *
 * `node --import tsx bench/bare-responder.ts PORT`
 */
import { createSocket } from "node:dgram";

const UNAUTHORIZED = "SIP/2.0 401 Unauthorized";
const OK = "SIP/2.0 200 OK";
const CHALLENGE =
  '\r\nWWW-Authenticate: Digest realm="example.com", nonce="0123456789abcdef0123456789abcdef", qop="auth"';
const END = "\r\nContent-Length: 0\r\n\r\n";

const socket = createSocket({
  type: "udp4",
  // The default look-up asks for a literal address too, a tick later.
  lookup: (hostname, _options, callback) => callback(null, hostname, 4),
});

socket.on("message", (data, from) => {
  const text = data.toString("latin1");
  const via = text.indexOf("\r\nVia:");
  const maxForwards = text.indexOf("\r\nMax-Forwards:", via);
  const fromLine = text.indexOf("\r\nFrom:", maxForwards);
  const callId = text.indexOf("\r\nCall-ID:", fromLine);
  const contact = text.indexOf("\r\nContact:", callId);
  if (via < 0 || maxForwards < 0 || fromLine < 0 || callId < 0 || contact < 0) return;
  const authorized = text.indexOf("\r\nAuthorization:", contact) > 0;
  const head = `${text.slice(via, maxForwards)}${text.slice(fromLine, callId)};tag=bare${text.slice(callId, contact)}`;
  const answer = authorized ? `${OK}${head}${END}` : `${UNAUTHORIZED}${head}${CHALLENGE}${END}`;
  socket.send(answer, from.port, from.address);
});

process.on("SIGTERM", () => socket.close());
socket.bind(Number(process.argv[2]), "127.0.0.1");
