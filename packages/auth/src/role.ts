import { authorization, proxyAuthorization, type Request, type Server } from "@sipkit/core";
import type { CredentialsField } from "./received-credentials.ts";

/** In which role we ask: as the server that a request is for, or as a proxy on its way. RFC 3261 §22.1 */
export interface Role {
  readonly status: number;
  readonly challenge: string;
  readonly field: CredentialsField;
}

export const asServer: Role = {
  status: 401,
  challenge: "WWW-Authenticate",
  field: authorization,
};

export const asProxy: Role = {
  status: 407,
  challenge: "Proxy-Authenticate",
  field: proxyAuthorization,
};

/** Whether the server itself is asked, not a user of its domains: a URI has a user exactly where it has an at sign. */
export function isForServer(request: Request, server: Server): boolean {
  const isRegister = request.method === "REGISTER";
  return (isRegister || !request.uri.includes("@")) && server.isLocal(request.uri);
}
