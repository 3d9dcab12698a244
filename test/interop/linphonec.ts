import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificatePath } from "../certificates/certificates.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { scratchFolder } from "./scratch.ts";
import type { PhonesServer } from "./start-server.ts";

/** How a linphonec is set up. */
export interface LinphonecOptions {
  readonly proto: "udp" | "tcp" | "tls";
  readonly answers?: boolean;
  /** Whether it registers a flow: it says that it supports outbound, but gives a reg-id only when told to. */
  readonly regId?: boolean;
}

/**
 * A registered linphonec without sound hardware. It prints all that it sends and gets; `type` gives it commands: `call
 * sip:bob@example.com`, `terminate`.
 */
export async function startLinphonec(
  { address, tlsAddress = address }: PhonesServer,
  user: string,
  { proto, answers = false, regId = false }: LinphonecOptions,
): Promise<Program> {
  const home = join(await scratchFolder(), user);
  // Where it keeps its calls; it doesn't make the folder itself.
  await mkdir(join(home, ".local", "share", "linphone"), { recursive: true });
  const proxy = `<sip:${proto === "tls" ? tlsAddress : address};transport=${proto}>`;
  const port = (of: string): number => (of === proto ? -1 : 0);
  const sections = {
    sip: [
      // 0: no socket, -1: any free port.
      ...[`sip_port=${port("udp")}`, `sip_tcp_port=${port("tcp")}`, `sip_tls_port=${port("tls")}`],
      ...["use_ipv6=0", "guess_hostname=1", "default_proxy=0"],
      // It knows no certificate for an address, so that the name isn't looked at: who has signed it is.
      `root_ca=${certificatePath("ca", "cert")}`,
      ...["verify_server_certs=1", "verify_server_cn=0"],
    ],
    proxy_0: [
      ...[`reg_proxy=${proxy}`, `reg_route=${proxy}`, `reg_identity=sip:${user}@example.com`],
      ...["reg_expires=60", "reg_sendregister=1", "publish=0"],
      ...(regId ? ["contact_parameters=reg-id=1"] : []),
    ],
    auth_info_0: [`username=${user}`, "passwd=secret", "realm=example.com", "domain=example.com"],
    rtp: [`audio_rtp_port=${await freePort()}`],
  };
  const config = join(home, "linphonerc");
  const lines = Object.entries(sections).flatMap(([name, values]) => [`[${name}]`, ...values]);
  await writeFile(config, `${lines.join("\n")}\n`);

  const args = ["-c", config, "-d", "6", ...(answers ? ["-a"] : [])];
  const program = new Program("linphonec", args, { env: { HOME: home }, isTypedTo: true });
  await program.printed(/to \[LinphoneRegistrationOk\]/);
  // Else it looks for sound hardware, and a call ends for want of it.
  program.type("soundcard use files");
  return program;
}
