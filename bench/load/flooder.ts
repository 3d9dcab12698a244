/**
 * Strangers: REGISTER and INVITE by turns to a port of this machine, each from another address and port of 127.0.0.0/8:
 * `flooder.ts PORT`. Begins when its parent says so, and tells it how many it has sent.
 */
import { createSocket } from "node:dgram";
import { DOMAIN } from "../users.ts";

/** Requests in a tick of so many ms: what leaves the server and the phones a processor. */
const BATCH = 10;
const TICK = 5;
/** How often it is told how many were sent, in ticks. */
const TELL = 100;

const port = Number(process.argv[2]);
let sent = 0;
let ticks = 0;

process.once("message", () => {
  setInterval(() => {
    for (let i = 0; i < BATCH; i += 1) flood();
    ticks += 1;
    if (ticks % TELL === 0) process.send?.(sent);
  }, TICK);
});
process.on("disconnect", () => process.exit());

function flood(): void {
  const number = sent++;
  const address = `127.${1 + ((number >> 15) & 127)}.${(number >> 7) & 255}.${1 + (number & 127)}`;
  const socket = createSocket({ type: "udp4", lookup: (host, _, found) => found(null, host, 4) });
  // An answer may find the port closed: that is the stranger's affair.
  socket.on("error", () => socket.close());
  socket.bind({ port: 0, address, exclusive: true }, () => {
    socket.send(request(number, `${address}:${socket.address().port}`), port, "127.0.0.1", () => {
      socket.close();
    });
  });
}

function request(number: number, from: string): string {
  const method = number % 2 === 0 ? "REGISTER" : "INVITE";
  const user = `sip:u${number % 50}@${DOMAIN}`;
  return (
    `${method} ${method === "INVITE" ? user : `sip:${DOMAIN}`} SIP/2.0\r\n` +
    `Via: SIP/2.0/UDP ${from};branch=z9hG4bK${number}\r\n` +
    `Max-Forwards: 70\r\n` +
    `From: <${user}>;tag=${number}\r\nTo: <${user}>\r\n` +
    `Call-ID: ${number}@${from}\r\nCSeq: 1 ${method}\r\n` +
    `Contact: <sip:u@${from}>\r\nUser-Agent: friendly-scanner\r\nContent-Length: 0\r\n\r\n`
  );
}
