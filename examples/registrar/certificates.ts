import { readFileSync } from "node:fs";
import type { Dispatcher, TlsOptions } from "@sipkit/core";

/** Paths of PEM files. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
}

/** Checks that the command line names what a tls or wss leg needs. */
export function certificateFiles({ cert, key, ca }: Partial<CertificateFiles>): CertificateFiles {
  if (cert !== undefined && key !== undefined) return { cert, key, ca };
  throw new Error(`--listen tls: and wss: need --cert FILE and --key FILE. To try it out, make them:
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=example.com \\
    -addext subjectAltName=DNS:example.com,IP:127.0.0.1 -keyout key.pem -out cert.pem`);
}

/** Reads the files as they are now. */
export function readCertificates({ cert, key, ca }: CertificateFiles): TlsOptions {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
  };
}

/** Has a SIGHUP read the files again: new connections are shown what is in them then. */
export function reloadOnHangup(server: Dispatcher, files: CertificateFiles): void {
  process.on("SIGHUP", () => {
    try {
      const certificates = readCertificates(files);
      for (const leg of server.legs) {
        if (leg.protocol === "tls" || leg.protocol === "wss") {
          server.setCertificates(leg, certificates);
        }
      }
      console.log("SIGHUP: new certificates");
    } catch (error) {
      console.error(`SIGHUP: the old certificates stay: ${error}`);
    }
  });
}
