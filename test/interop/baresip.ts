import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { certificatePath } from "../certificates/certificates.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { scratchFolder } from "./scratch.ts";
import type { PhonesServer } from "./start-server.ts";

/** A registered baresip without hardware: a sine tone as microphone, nothing as loudspeaker. */
export interface Baresip {
  readonly program: Program;
  /** A command as it is typed at its prompt: `dial`, `sip:bob@example.com`. */
  command(name: string, argument?: string): void;
}

export async function startBaresip(
  server: PhonesServer,
  user: string,
  how: {
    readonly proto: "udp" | "tcp" | "tls";
    readonly answers?: boolean;
    /** Whether it registers a flow, and shows what it sends and gets. */
    readonly outbound?: boolean;
  },
): Promise<Baresip> {
  const folder = join(await scratchFolder(), user);
  const control = await freePort();
  const config = [
    "poll_method epoll",
    "sip_listen 127.0.0.1:0",
    "net_interface 127.0.0.1",
    "audio_source ausine,440",
    "ausrc_srate 48000",
    "ausrc_channels 2",
    "audio_player aubridge,nobody",
    "rtp_ports 20000-30000",
    "rtp_stats yes",
    "module_path /usr/lib/baresip/modules",
    ...["g711", "ausine", "aubridge"].map((name) => `module ${name}.so`),
    ...["uuid", "account"].map((name) => `module_tmp ${name}.so`),
    ...["menu", "ctrl_tcp"].map((name) => `module_app ${name}.so`),
    `ctrl_tcp_listen 127.0.0.1:${control}`,
    `sip_cafile ${certificatePath("ca", "cert")}`,
  ];
  const address = how.proto === "tls" ? server.tlsAddress : server.address;
  const account =
    `<sip:${user}@example.com>;auth_user=${user};auth_pass=secret;regint=60` +
    `;outbound="sip:${address};transport=${how.proto}"` +
    `;answermode=${how.answers ? "auto" : "manual"}${how.outbound ? ";sipnat=outbound" : ""}`;
  await mkdir(folder);
  await writeFile(join(folder, "config"), `${config.join("\n")}\n`);
  await writeFile(join(folder, "accounts"), `${account}\n`);
  await writeFile(join(folder, "contacts"), "");

  const program = new Program("baresip", [
    ...["-v", "-f", folder, "-t", "60"],
    ...(how.outbound ? ["-s"] : []),
  ]);
  await program.printed(new RegExp(`${user}@example\\.com: .*200 OK.*\\[1 binding\\]`));
  const socket = connect(control, "127.0.0.1");
  await once(socket, "connect");
  socket.resume().on("error", () => undefined);
  return { program, command: (name, argument) => write(socket, name, argument) };
}

/** A command of the module ctrl_tcp: JSON in a netstring. */
function write(socket: Socket, command: string, params?: string): void {
  const json = JSON.stringify({ command, params });
  socket.write(`${Buffer.byteLength(json)}:${json},`);
}
